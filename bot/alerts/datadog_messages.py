"""Tells Datadog's own alerts in a channel from everything else that is said there, and hands them on to be kept."""

from collections.abc import Mapping
from typing import Any

from bot.datadog.links import MonitorLink, parse_link
from bot.datadog.titles import read_title, transition_kind
from bot.investigations.message_alerts import FoundAlert, find_alert
from bot.model import AlertRef, EventRef, MonitorRef, Place
from bot.services import Services

_NAME = "datadog"
_OWN_LINK = "link_source=monitor_notif"


async def keep_alert_of(services: Services, body: Mapping[str, Any]) -> None:
    event = body["event"]
    if event.get("bot_id"):
        workspace = str(body.get("team_id") or event.get("team") or "")
        place = Place(workspace, str(event.get("channel") or ""), str(event.get("ts") or ""))
        await keep_alert(services, place, event, find_alert(event))


async def keep_alert(services: Services, place: Place, event: Mapping[str, Any], found: FoundAlert | None) -> None:
    """A new message of Datadog's that opens an alert; what channels want of it is written down when this returns."""
    if event.get("message") or found is None or found.recovered or found.test or _is_reply(event):
        return
    subject = _subject(found)
    if subject is None or not is_datadogs(event):
        return
    rules = await services.alerts.rules.of(place.workspace, place.channel)
    if rules.nudge or rules.auto is not None:
        await services.alerts.messages.noticed(place, subject, transition_of(found), rules)


def is_datadogs(message: Mapping[str, Any]) -> bool:
    """By the name over it; where it has none, by a link as only Datadog's notifications have."""
    profile = message.get("bot_profile")
    names = [profile.get("name") if isinstance(profile, Mapping) else None, message.get("username")]
    told = [name.strip().casefold() for name in names if isinstance(name, str) and name.strip()]
    if told:
        return all(name.split()[0] == _NAME for name in told)
    return any(_OWN_LINK in link for link in _title_links(message))


def transition_of(found: FoundAlert) -> str:
    """As channel rules name it."""
    word = found.transition or read_title(found.title).transition
    return transition_kind(word) or word or "alert"


def _subject(found: FoundAlert) -> AlertRef | MonitorRef | None:
    if not isinstance(found.subject, EventRef):
        return found.subject
    link = parse_link(found.url)
    return (
        MonitorRef(link.monitor_id, read_title(found.title).name, link.group) if isinstance(link, MonitorLink) else None
    )


def _is_reply(event: Mapping[str, Any]) -> bool:
    return bool(event.get("thread_ts")) and event.get("thread_ts") != event.get("ts")


def _title_links(message: Mapping[str, Any]) -> list[str]:
    attachments = message.get("attachments")
    listed = attachments if isinstance(attachments, list) else []
    return [str(each.get("title_link") or "") for each in listed if isinstance(each, Mapping)]
