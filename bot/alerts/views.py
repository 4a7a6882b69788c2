"""Our own card for an alert of Datadog's webhook, from the first trigger to the recovery, and the window with all its tags."""

from urllib.parse import urlsplit

from bot.alerts.cycle import Standing, standing
from bot.alerts.model import KnownCycle, Notice, Transition
from bot.alerts.mutes import scope_of
from bot.datadog.sites import locate
from bot.datadog.trouble import Trouble
from bot.investigations.views import answers
from bot.investigations.views.investigate_button import alert_buttons
from bot.investigations.views.subject import alert_runs, monitor_name, monitor_url
from bot.model import AlertRef, MonitorRef
from bot.slack.blocks import Block, actions, button, confirmation, context, plain, rich_section, rich_text, run, section
from bot.slack.message import Message, sentences
from bot.slack.text import code, cut, escape, fit_mrkdwn, mention, moment, one_line, safe_url
from bot.wording import DATADOG, OPEN_IN_DATADOG, duration

MUTE, UNMUTE, TAGS, OPEN = "alert:mute", "alert:unmute", "alert:tags", "alert:open"
TAGS_MODAL = "alert_tags"

_TAGS_SHOWN = 5
_WORDS = {
    Transition.ALERT: "Triggered",
    Transition.WARN: "Warning",
    Transition.NO_DATA: "No data",
    Transition.RENOTIFY: "Triggered",
    Transition.RECOVERED: "Recovered",
}
_SIGNS = {
    Transition.ALERT: "red_circle",
    Transition.WARN: "large_yellow_circle",
    Transition.NO_DATA: "white_circle",
    Transition.RECOVERED: "large_green_circle",
}
_TEST_NOTE = f"A test notification from {DATADOG}: nothing is wrong, and nothing is investigated."
_NO_MONITOR_NOTE = (
    f"{DATADOG} did not say which monitor this is, so it can't be investigated from here. "
    "The payload that `bits-bot webhook-template` prints tells it."
)


def alert_card(known: KnownCycle, app_url: str) -> Message:
    now, latest = standing(known.cycle), known.cycle.latest
    blocks = [rich_text(rich_section(_headline(now, latest, app_url)))]
    if told := one_line(latest.value, 600):
        blocks.append(rich_text(rich_section([run(told)])))
    plainer = [*blocks, *_rest(known, now, app_url)]
    picture = [_picture(snapshot, latest)] if (snapshot := _snapshot(known)) else []
    return Message(_spoken(known, now), [*blocks, *picture, *_rest(known, now, app_url)], plainer if picture else [])


def _rest(known: KnownCycle, now: Standing, app_url: str) -> list[Block]:
    lines = [context(" · ".join(_facts(known, now)))]
    if tags := known.cycle.latest.tags:
        lines.append(context(_folded(tags)))
    lines += [context(note) for note in _notes(known, now)]
    buttons = _buttons(known, now, app_url)
    return [*lines, actions(*buttons)] if buttons else lines


def _headline(now: Standing, latest: Notice, app_url: str) -> list[Block]:
    sign = {"type": "emoji", "name": _SIGNS.get(now.state, "large_orange_circle")}
    word = run(f" {_test(latest)}{_word(now, latest)}: ", "bold")
    if now.subject is not None:
        return [sign, word, *alert_runs(now.subject, app_url)]
    group = one_line(latest.group, 200)
    return [sign, word, run(_name(latest), "bold"), *([run(" on "), run(group, "code")] if group else [])]


def _test(latest: Notice) -> str:
    return "[TEST] " if latest.test else ""


def _word(now: Standing, latest: Notice) -> str:
    """Ours, so that every card says the same thing the same way; a word we don't know stays Datadog's."""
    if now.state is Transition.OTHER:
        return one_line(latest.word, 40) or "Alert"
    return _WORDS[now.state]


def _name(latest: Notice) -> str:
    if latest.monitor_id:
        return monitor_name(MonitorRef(latest.monitor_id, latest.name))
    return one_line(latest.name, 150) or "an alert without a name"


def _facts(known: KnownCycle, now: Standing) -> list[str]:
    latest = known.cycle.latest
    told = [f"P{latest.priority}"] if latest.priority else []
    if now.recovered_at is not None:
        told.append(f"recovered {_time(now.recovered_at)}")
        if now.lasted is not None:
            told.append(f"lasted {duration(now.lasted)}")
    else:
        told.append(f"since {_time(now.since or latest.event_ts)}")
        if now.since is not None and latest.event_ts > now.since:
            told.append(f"last told {_time(latest.event_ts)}")
    return told


def _time(ms: int) -> str:
    return moment(ms / 1000, "{date_short_pretty} at {time}")


def _notes(known: KnownCycle, now: Standing) -> list[str]:
    mute, notes = known.mute, []
    if mute.until:
        whole = "" if _is_scoped(known) else ", the whole monitor"
        notes.append(f"Muted until {moment(mute.until)} by {mention(mute.by)}{whole}.")
    elif mute.undone_by:
        notes.append(f"Unmuted by {mention(mute.undone_by)}.")
    if known.cycle.latest.test:
        notes.append(_TEST_NOTE)
    elif now.subject is None:
        notes.append(_NO_MONITOR_NOTE)
    return notes


def _is_scoped(known: KnownCycle) -> bool:
    return scope_of((known.cycle.trouble or known.cycle.latest).group) != "*"


def _folded(tags: tuple[str, ...]) -> str:
    shown = " ".join(code(tag, 60) for tag in tags[:_TAGS_SHOWN])
    hidden = len(tags) - _TAGS_SHOWN
    return f"{shown} and {hidden} more" if hidden > 0 else shown


def _buttons(known: KnownCycle, now: Standing, app_url: str) -> list[Block]:
    more = [button("Tags", TAGS, value=str(known.id))] if len(known.cycle.latest.tags) > _TAGS_SHOWN else []
    if now.subject is None:
        return [*_opening(known, app_url), *more]
    return [*alert_buttons(now.subject), *_muting(known, now), *_opening(known, app_url), *more]


def _opening(known: KnownCycle, app_url: str) -> list[Block]:
    now, latest = standing(known.cycle), known.cycle.latest
    subject = now.subject or (MonitorRef(latest.monitor_id) if latest.monitor_id else None)
    return [button(OPEN_IN_DATADOG, OPEN, url=monitor_url(app_url, subject))] if subject else []


def _muting(known: KnownCycle, now: Standing) -> list[Block]:
    if known.mute.until:
        sure = confirmation("Unmute it?", f"{DATADOG} notifies of it again, in every channel.", confirm="Unmute")
        return [button("Unmute", UNMUTE, value=str(known.id), confirm=sure)]
    if now.state is Transition.RECOVERED or now.subject is None:
        return []
    return [button("Mute 1 h", MUTE, value=str(known.id), confirm=_sure(known, now.subject))]


def _sure(known: KnownCycle, subject: AlertRef | MonitorRef) -> Block:
    name = one_line(subject.monitor_name, 80) or f"monitor {subject.monitor_id}"
    where = f" for {one_line(subject.group, 80)}" if subject.group and _is_scoped(known) else ", the whole monitor"
    told = f"For an hour {DATADOG} notifies nobody of {name}{where}. The card will say that it was you."
    return confirmation("Mute it for an hour?", told, confirm="Mute 1 h", style="danger")


# -- the picture --------------------------------------------------------------------------------------------------


def _snapshot(known: KnownCycle) -> str:
    """A graph of the trouble, where its address is Datadog's: Slack fetches it for everyone in the channel."""
    told = (known.cycle.latest.snapshot, known.cycle.trouble.snapshot if known.cycle.trouble else "")
    return next((url for url in told if _is_datadogs(url)), "")


def _is_datadogs(url: str) -> bool:
    host = safe_url(url)
    return host is not None and urlsplit(url).scheme == "https" and locate(host) is not None


def _picture(url: str, latest: Notice) -> Block:
    return {"type": "image", "image_url": url, "alt_text": cut(f"Graph of {_name(latest)}", 1_000)}


# -- words and tags -----------------------------------------------------------------------------------------------


def _spoken(known: KnownCycle, now: Standing) -> str:
    """The whole card in a sentence or two, for notifications and screen readers."""
    latest = known.cycle.latest
    group = f" on {escape(one_line(latest.group, 100))}" if latest.group else ""
    headline = f"{_test(latest)}{escape(_word(now, latest))}: {escape(_name(latest))}{group}."
    facts = " · ".join(_facts(known, now))
    return " ".join(part for part in (headline, fit_mrkdwn(one_line(latest.value, 600), 900), facts) if part)


def tags_modal(known: KnownCycle) -> Block:
    tags = [code(tag, 100) for tag in known.cycle.latest.tags]
    lines = [" ".join(tags[at : at + 5]) for at in range(0, len(tags), 5)]
    return {
        "type": "modal",
        "callback_id": TAGS_MODAL,
        "title": plain("Tags", 24),
        "close": plain("Close", 24),
        "private_metadata": "",
        "blocks": [section(line) for line in lines] or [section("This alert has no tags.")],
    }


def gone() -> Message:
    return sentences("I no longer know that alert. Nothing was done; use the message shortcut on it instead.")


def mute_refused(failure: Trouble, *, unmute: bool) -> Message:
    """Datadog's definite no, or no connection to it."""
    told = answers.refused(failure)
    what = "It is still muted." if unmute else "Nothing was muted."
    return Message(f"{what} {told.text}", [section(what), *told.blocks])


def mute_unclear() -> Message:
    return sentences(
        f"{DATADOG} did not answer clearly, so I don't know whether it is muted now.",
        f"Look under Downtimes of the monitor in {DATADOG}. I did not send it twice.",
    )
