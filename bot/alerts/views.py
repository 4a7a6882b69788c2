"""Our own card for an alert of Datadog's webhook, from the first trigger to the recovery, and the window with all its tags."""

from urllib.parse import urlsplit

from bot.alerts.model import AlertStanding, KnownCycle, Notice, Transition, standing
from bot.datadog.links import locate
from bot.datadog.trouble import Trouble
from bot.investigations import answers
from bot.investigations.subject_view import alert_buttons, alert_runs, monitor_name, monitor_url
from bot.model import AlertRef, MonitorRef
from bot.slack.blocks import (
    Block,
    Message,
    actions,
    button,
    confirmation,
    context,
    rich_section,
    rich_text,
    run,
    section,
    sentences,
)
from bot.slack.forms import modal
from bot.slack.text import code, cut, escape, fit_mrkdwn, mention, moment, one_line, safe_url
from bot.wording import COMMAND, DATADOG, OPEN_IN_DATADOG, duration

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


def alert_card(known: KnownCycle, app_url: str, *, note: str = "") -> Message:
    """`note` is what else there is to say of it."""
    now, latest = standing(known.cycle), known.cycle.latest
    top = [rich_text(rich_section(_headline(now, latest, app_url)))]
    if told := one_line(latest.value, 600):
        top.append(rich_text(rich_section([run(told)])))
    text, rest = _spoken(known, now), _rest(known, now, app_url, note)
    snapshot = _snapshot(known)
    if not snapshot:
        return Message(text, [*top, *rest])
    picture = {"type": "image", "image_url": snapshot, "alt_text": cut(f"Graph of {_name(latest)}", 1_000)}
    return Message(text, [*top, picture, *rest], plainer=[*top, *rest])


def _rest(known: KnownCycle, now: AlertStanding, app_url: str, note: str) -> list[Block]:
    lines = [context(" · ".join(_facts(known, now)))]
    if tags := known.cycle.latest.tags:
        shown, hidden = " ".join(code(tag, 60) for tag in tags[:_TAGS_SHOWN]), len(tags) - _TAGS_SHOWN
        lines.append(context(f"{shown} and {hidden} more" if hidden > 0 else shown))
    lines += [context(said) for said in [*_notes(known, now), note] if said]
    buttons = _buttons(known, now, app_url)
    return [*lines, actions(*buttons)] if buttons else lines


def _headline(now: AlertStanding, latest: Notice, app_url: str) -> list[Block]:
    sign = {"type": "emoji", "name": _SIGNS.get(now.state, "large_orange_circle")}
    word = run(f" {_test(latest)}{_word(now, latest)}: ", "bold")
    if now.subject is not None:
        return [sign, word, *alert_runs(now.subject, app_url)]
    group = one_line(latest.group, 200)
    return [sign, word, run(_name(latest), "bold"), *([run(" on "), run(group, "code")] if group else [])]


def _test(latest: Notice) -> str:
    return "[TEST] " if latest.test else ""


def _word(now: AlertStanding, latest: Notice) -> str:
    """Ours, so that every card says the same thing the same way; a word we don't know stays Datadog's."""
    if now.state is Transition.OTHER:
        return one_line(latest.word, 40) or "Alert"
    return _WORDS[now.state]


def _name(latest: Notice) -> str:
    if latest.monitor_id:
        return monitor_name(MonitorRef(latest.monitor_id, latest.name))
    return one_line(latest.name, 150) or "an alert without a name"


def _facts(known: KnownCycle, now: AlertStanding) -> list[str]:
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


def _notes(known: KnownCycle, now: AlertStanding) -> list[str]:
    mute, notes = known.mute, []
    if mute.until:
        whole = "" if known.scope != "*" else ", the whole monitor"
        notes.append(f"Muted until {moment(mute.until)} by {mention(mute.by)}{whole}.")
    elif mute.undone_by:
        notes.append(f"Unmuted by {mention(mute.undone_by)}.")
    if known.cycle.latest.test:
        notes.append(_TEST_NOTE)
    elif now.subject is None:
        notes.append(_NO_MONITOR_NOTE)
    return notes


def _buttons(known: KnownCycle, now: AlertStanding, app_url: str) -> list[Block]:
    latest = known.cycle.latest
    about = now.subject or (MonitorRef(latest.monitor_id) if latest.monitor_id else None)
    found = [*alert_buttons(now.subject), *_muting(known, now)] if now.subject else []
    if about:
        found.append(button(OPEN_IN_DATADOG, OPEN, url=monitor_url(app_url, about)))
    if len(latest.tags) > _TAGS_SHOWN:
        found.append(button("Tags", TAGS, value=str(known.id)))
    return found


def _muting(known: KnownCycle, now: AlertStanding) -> list[Block]:
    if known.mute.until:
        sure = confirmation("Unmute it?", f"{DATADOG} notifies of it again, in every channel.", confirm="Unmute")
        return [button("Unmute", UNMUTE, value=str(known.id), confirm=sure)]
    if now.state is Transition.RECOVERED or now.subject is None:
        return []
    return [button("Mute 1 h", MUTE, value=str(known.id), confirm=_sure(known, now.subject))]


def _sure(known: KnownCycle, subject: AlertRef | MonitorRef) -> Block:
    name = one_line(subject.monitor_name, 80) or f"monitor {subject.monitor_id}"
    where = f" for {one_line(subject.group, 80)}" if subject.group and known.scope != "*" else ", the whole monitor"
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


# -- words and tags -----------------------------------------------------------------------------------------------


def _spoken(known: KnownCycle, now: AlertStanding) -> str:
    """The whole card in a sentence or two, for notifications and screen readers."""
    latest = known.cycle.latest
    group = f" on {escape(one_line(latest.group, 100))}" if latest.group else ""
    headline = f"{_test(latest)}{escape(_word(now, latest))}: {escape(_name(latest))}{group}."
    facts = " · ".join(_facts(known, now))
    return " ".join(part for part in (headline, fit_mrkdwn(one_line(latest.value, 600), 900), facts) if part)


def tags_modal(known: KnownCycle) -> Block:
    tags = [code(tag, 100) for tag in known.cycle.latest.tags]
    lines = [" ".join(tags[at : at + 5]) for at in range(0, len(tags), 5)]
    blocks = [section(line) for line in lines] or [section("This alert has no tags.")]
    return modal("Tags", blocks, callback_id=TAGS_MODAL)


def unknown_app(app: str) -> Message:
    """Once in a channel: a name proves nothing, so an admin has to say that this is Datadog."""
    return sentences(
        f"This looks like an alert of {DATADOG}'s, but I don't know the app that posted it ({code(app, 40)}), so I neither "
        "put buttons under its messages nor start anything by myself.",
        f"If it is {DATADOG}'s, a workspace admin can name it in `{COMMAND} settings`, under “Apps whose messages count as "
        f"{DATADOG}'s”. The shortcuts on any message work all the same.",
    )


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
