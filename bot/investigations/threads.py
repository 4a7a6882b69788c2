"""What a thread or message is about, as far as we were told when it was written, may read it now, or have it in hand."""

from collections.abc import Mapping
from typing import Any

from bot.investigations.message_alerts import find_alert, find_run_link
from bot.investigations.seen_alerts import SeenAlert, SeenAlerts
from bot.model import AlertRef, EventRef, ExistingRun, MonitorRef, Place
from bot.slack.clients import Workspaces
from bot.slack.errors import CALL_ERRORS

MESSAGES_READ = 100

Found = AlertRef | MonitorRef | EventRef | ExistingRun


class ThreadReader:
    def __init__(self, workspaces: Workspaces, seen_alerts: SeenAlerts) -> None:
        self._workspaces = workspaces
        self._seen_alerts = seen_alerts

    async def subject_of_message(self, place: Place, message: Mapping[str, Any]) -> Found | None:
        """From what is in hand and in our books; no call is made, somebody waits."""
        ts = str(message.get("ts") or "")
        seen = await self._seen_alerts.of(place.workspace, place.channel, ts)
        if place.thread_ts != ts and seen == SeenAlert():
            seen = await self._seen_alerts.of(place.workspace, place.channel, place.thread_ts)
        return _chosen(seen, [message])

    async def subject_of(self, place: Place) -> Found | None:
        """The same for a thread that is only named; it is read where that is allowed."""
        seen = await self._seen_alerts.of(place.workspace, place.channel, place.thread_ts)
        if seen != SeenAlert():
            return _chosen(seen, [])
        return _chosen(seen, await self._messages(place))

    async def _messages(self, place: Place) -> list[dict[str, Any]]:
        bot_client = await self._workspaces.bot_client(place.workspace)
        if bot_client is None:
            return []
        try:
            answer = await bot_client.client.conversations_replies(
                channel=place.channel, ts=place.thread_ts, limit=MESSAGES_READ
            )
        except CALL_ERRORS:
            return []
        return list(answer.get("messages") or [])


def _chosen(seen: SeenAlert, messages: list[Any]) -> Found | None:
    found = next((alert for message in messages if (alert := find_alert(message))), None)
    subject: AlertRef | MonitorRef | EventRef | None = seen.alert or (found.subject if found else None)
    link = find_run_link(messages)
    run = link.investigation_id if link else seen.run
    if run:
        return ExistingRun(run, subject if isinstance(subject, AlertRef) else None, link.host if link else "")
    if found and found.recovered and seen.alert is None and isinstance(subject, AlertRef):
        # the message shows the recovery by now: the alert before it is meant, and has to be found
        return MonitorRef(subject.monitor_id, subject.monitor_name, subject.group, subject.host)
    return subject
