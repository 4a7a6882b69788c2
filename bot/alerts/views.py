"""Our own card for an alert of Datadog's webhook, from the first trigger to the recovery, and the window with all its tags."""

from dataclasses import dataclass
from urllib.parse import urlencode

from bot.alerts.messages import links_in, own_message, read_measured, service_of
from bot.alerts.model import AlertStanding, KnownCycle, Notice, Transition, standing
from bot.cases.card import case_url, stands_words
from bot.cases.model import KnownCase
from bot.datadog.trouble import Trouble
from bot.investigations import answers, conclusions_view
from bot.investigations.model import Investigation, SeenBefore, State, Verdict
from bot.investigations.seen_before_view import seen_block
from bot.investigations.signs import stands
from bot.investigations.subject_view import (
    INVESTIGATE_ACTION,
    alert_buttons,
    alert_runs,
    is_datadogs_picture,
    monitor_name,
    monitor_url,
)
from bot.model import AlertRef, MonitorRef
from bot.slack.blocks import (
    Block,
    Message,
    actions,
    button,
    confirmation,
    context,
    option,
    plain,
    rich_link,
    rich_section,
    rich_text,
    run,
    section,
    sentences,
    visible_text,
)
from bot.slack.forms import modal, select
from bot.slack.text import code, cut, escape, fit_mrkdwn, mention, moment, one_line
from bot.wording import CASE, COMMAND, DATADOG, FULL_REPORT, INVESTIGATION, OPEN_IN_DATADOG, PRODUCT, counted, duration

# the first and the third are of cards that an earlier version drew
MUTE, UNMUTE, TAGS, OPEN = "alert:mute", "alert:unmute", "alert:tags", "alert:open"
MUTE_FOR, TAKE, MORE = "alert:mute_for", "alert:take", "alert:more"
TAGS_MODAL = "alert_tags"
MUTE_SPANS = {"1h": "For 1 hour", "4h": "For 4 hours", "morning": "Until the morning"}

_TAGS_SHOWN = 5
_FIRST = ("service:", "team:", "env:")
_MESSAGE_SHOWN = 400
_AROUND_MS = 900_000
_SINCE = "{date_short_pretty} at {time} ({ago})"  # Slack's clients keep it true: no edit is needed for it
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


@dataclass(frozen=True, slots=True)
class Following:
    """What else a channel knows of an alert: what came of it in the card's thread."""

    note: str = ""  # mrkdwn
    investigation: Investigation | None = None
    case: KnownCase | None = None
    workspace: str = ""  # whose people may be named
    seen: SeenBefore | None = None


def alert_card(known: KnownCycle, app_url: str, following: Following = Following()) -> Message:
    now, latest = standing(known.cycle), known.cycle.latest
    top = [rich_text(rich_section(_headline(now, latest, app_url)))]
    top.append(context(" · ".join(_facts(known, now))))
    if told := _words(known, now, app_url):
        top.append(rich_text(rich_section(told)))
    text, rest = _spoken(known, now, following), _rest(known, now, app_url, following)
    snapshot = _snapshot(known)
    if not snapshot:
        return Message(text, [*top, *rest])
    picture = {"type": "image", "image_url": snapshot, "alt_text": cut(f"Graph of {_name(latest)}", 1_000)}
    return Message(text, [*top, picture, *rest], plainer=[*top, *rest])


def _rest(known: KnownCycle, now: AlertStanding, app_url: str, following: Following) -> list[Block]:
    lines = [*_progress(following, app_url), *_known_already(following, now)]
    said = [_on_it(known, following.workspace), *_notes(known, now, following.workspace), following.note]
    lines += [context(each) for each in said if each]
    if tags := _tags_first(known.cycle.latest.tags):
        shown, hidden = " ".join(code(tag, 60) for tag in tags[:_TAGS_SHOWN]), len(tags) - _TAGS_SHOWN
        lines.append(context(f"{shown} and {hidden} more" if hidden > 0 else shown))
    buttons = _buttons(known, now, app_url, following)
    return [*lines, actions(*buttons)] if buttons else lines


def _tags_first(tags: tuple[str, ...]) -> list[str]:
    """Whose it is comes first."""
    return sorted(
        tags, key=lambda tag: next((at for at, name in enumerate(_FIRST) if tag.startswith(name)), len(_FIRST))
    )


# -- what Datadog says of it --------------------------------------------------------------------------------------


def _words(known: KnownCycle, now: AlertStanding, app_url: str) -> list[Block]:
    """The value against its threshold, the monitor's own message, and where to look."""
    notice = known.cycle.trouble or known.cycle.latest
    measured, own = read_measured(known.cycle.latest), own_message(notice)
    runs = []
    if measured.value and measured.threshold:
        runs += [run(measured.value, "bold"), run(f" (threshold {measured.threshold})")]
    elif told := one_line(known.cycle.latest.value, 600):
        runs.append(run(told))
    if own:
        runs += [*([run("\n")] if runs else []), run(one_line(own, _MESSAGE_SHOWN))]
    links = _links(notice, now, app_url)
    for number, (label, url) in enumerate(links):
        runs += (
            [run((" · " if number else "\n") if runs else ""), rich_link(url, label)]
            if runs
            else [rich_link(url, label)]
        )
    return runs


def _links(notice: Notice, now: AlertStanding, app_url: str) -> list[tuple[str, str]]:
    found = links_in(notice.message)
    if now.subject is None:
        return list(found.items())
    at = notice.event_ts
    for service in service_of(notice):
        span = {"from_ts": at - _AROUND_MS, "to_ts": at + _AROUND_MS}
        found.setdefault("Logs", f"{app_url}/logs?{urlencode({'query': service, **span})}")
        if service.startswith("service:"):
            times = {"start": at - _AROUND_MS, "end": at + _AROUND_MS}
            found.setdefault("Traces", f"{app_url}/apm/traces?{urlencode({'query': service, **times})}")
    return list(found.items())


# -- what came of it ----------------------------------------------------------------------------------------------


def _progress(following: Following, app_url: str) -> list[Block]:
    lines = []
    if following.investigation is not None:
        lines.append(rich_section(_found(following.investigation)))
    if following.case is not None:
        case = following.case
        stands = run(f" · {stands_words(case)}")
        lines.append(rich_section([run("📋 "), rich_link(case_url(case, app_url), case.name, "bold"), stands]))
    return [rich_text(*lines)] if lines else []


def _found(inv: Investigation) -> list[Block]:
    sign, word = stands(inv)
    if inv.state is State.CONCLUDED and inv.verdict is Verdict.CONCLUSIVE and inv.conclusions:
        more = len(inv.conclusions) - 1
        rest = f" (and {counted(more, 'more finding')})" if more else ""
        return [run(f"{sign} "), run("Likely cause: ", "bold"), run(one_line(inv.conclusions[0].title, 200) + rest)]
    told = {
        State.RUNNING: f"{PRODUCT} is investigating; the answer follows in the thread.",
        State.REQUESTED: f"{PRODUCT} is about to investigate.",
        State.TRIGGERING: f"{PRODUCT} is about to investigate.",
        State.CONCLUDED: f"{PRODUCT} investigated: {word}. See the thread.",
        State.FAILED: f"The {INVESTIGATION} failed. Its card in the thread says why.",
        State.EXPIRED: f"The {INVESTIGATION} is no longer watched. Its card in the thread goes on.",
        State.UNCERTAIN: f"Not sure the {INVESTIGATION} started. Its card in the thread has the choice.",
    }
    return [run(f"{sign} {told[inv.state]}")]


def _known_already(following: Following, now: AlertStanding) -> list[Block]:
    """Until this alert has an answer of its own."""
    inv = following.investigation
    if following.seen is None or now.subject is None or (inv is not None and inv.state is State.CONCLUDED):
        return []
    return [seen_block(following.seen, now.subject.monitor_id)]


def _on_it(known: KnownCycle, workspace: str) -> str:
    taken = known.taken
    return f"🙋 {_person(taken.by, taken.place, workspace)} is on it since {moment(taken.at)}." if taken.by else ""


def _person(person: str, place: str, workspace: str) -> str:
    """An id of another workspace says nothing here."""
    return mention(person) if not (place and workspace) or place == workspace else "Somebody in another workspace"


# -- the first line -----------------------------------------------------------------------------------------------


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
    told = [f"*P{latest.priority}*"] if latest.priority else []
    if now.recovered_at is not None:
        told.append(f"recovered {_time(now.recovered_at)}")
        if now.lasted is not None:
            told.append(f"lasted {duration(now.lasted)}")
    else:
        told.append(f"firing since {moment((now.since or latest.event_ts) / 1000, _SINCE)}")
        if now.since is not None and latest.event_ts > now.since:
            told.append(f"last notified {_time(latest.event_ts)}")
    return told


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]


def _time(ms: int) -> str:
    return moment(ms / 1000, "{date_short_pretty} at {time}")


def _notes(known: KnownCycle, now: AlertStanding, workspace: str) -> list[str]:
    mute, notes = known.mute, []
    if mute.until:
        whole = "" if known.scope != "*" else ", the whole monitor"
        notes.append(f"Muted until {moment(mute.until)} by {_lower(_person(mute.by, mute.place, workspace))}{whole}.")
    elif mute.undone_by:
        notes.append(f"Unmuted by {_lower(_person(mute.undone_by, mute.place, workspace))}.")
    if known.cycle.latest.test:
        notes.append(_TEST_NOTE)
    elif now.subject is None:
        notes.append(_NO_MONITOR_NOTE)
    return notes


def _buttons(known: KnownCycle, now: AlertStanding, app_url: str, following: Following) -> list[Block]:
    """At most three that a tired person has to read; the rest is in one menu."""
    latest, inv, value = known.cycle.latest, following.investigation, str(known.id)
    about = now.subject or (MonitorRef(latest.monitor_id) if latest.monitor_id else None)
    found = []
    if inv is not None and inv.conclusions:
        found.append(button(FULL_REPORT, conclusions_view.DETAILS_ACTION, value=str(inv.id), style="primary"))
    elif now.subject and (inv is None or inv.state is State.FAILED):
        found += [one for one in alert_buttons(now.subject) if one["action_id"] == INVESTIGATE_ACTION]
    if now.subject and now.state is not Transition.RECOVERED:
        found.append(button("Take over" if known.taken.by else "I'm on it", TAKE, value=value))
    found += _muting(known, now)
    menu = []
    if now.subject:
        menu += [] if following.case else [option(f"Create {CASE}", f"create:{value}")]
        menu.append(option(f"Attach to {CASE}", f"attach:{value}"))
        menu += [option("Tell me when it recovers", f"tell:{value}")] if now.state is not Transition.RECOVERED else []
    if len(latest.tags) > _TAGS_SHOWN:
        menu.append(option("All tags", f"tags:{value}"))
    if about:
        menu.append({**option(OPEN_IN_DATADOG, f"open:{value}"), "url": monitor_url(app_url, about)})
    if len(menu) == 1:  # no menu has less than two
        return [*found, _alone(menu[0], value)]
    return [*found, {"type": "overflow", "action_id": MORE, "options": menu}] if menu else found


def _alone(entry: Block, value: str) -> Block:
    words = entry["text"]["text"]
    return button(words, OPEN, url=entry["url"]) if "url" in entry else button(words, TAGS, value=value)


def _muting(known: KnownCycle, now: AlertStanding) -> list[Block]:
    if known.mute.until:
        sure = confirmation("Unmute it?", f"{DATADOG} notifies of it again, in every channel.", confirm="Unmute")
        return [button("Unmute", UNMUTE, value=str(known.id), confirm=sure)]
    if now.state is Transition.RECOVERED or now.subject is None:
        return []
    choices = [option(words, f"{span}:{known.id}") for span, words in MUTE_SPANS.items()]
    chooser = {**select(MUTE_FOR, choices), "placeholder": plain("Mute …")}
    return [{**chooser, "confirm": _sure(known, now.subject)}]


def _sure(known: KnownCycle, subject: AlertRef | MonitorRef) -> Block:
    name = one_line(subject.monitor_name, 80) or f"monitor {subject.monitor_id}"
    where = f" for {one_line(subject.group, 80)}" if subject.group and known.scope != "*" else ", the whole monitor"
    told = f"Until then {DATADOG} notifies nobody of {name}{where}. The card will say that it was you."
    return confirmation("Mute it?", told, confirm="Mute", style="danger")


# -- the picture --------------------------------------------------------------------------------------------------


def _snapshot(known: KnownCycle) -> str:
    """A graph of the trouble, where its address is Datadog's: Slack fetches it for everyone in the channel."""
    told = (known.cycle.latest.snapshot, known.cycle.trouble.snapshot if known.cycle.trouble else "")
    return next((url for url in told if is_datadogs_picture(url)), "")


# -- words and tags -----------------------------------------------------------------------------------------------


def _spoken(known: KnownCycle, now: AlertStanding, following: Following) -> str:
    """The whole card in a sentence or two, for notifications and screen readers."""
    latest = known.cycle.latest
    group = f" on {escape(one_line(latest.group, 100))}" if latest.group else ""
    headline = f"{_test(latest)}{escape(_word(now, latest))}: {escape(_name(latest))}{group}."
    facts = " · ".join(_facts(known, now)).replace("*", "")
    came = visible_text(_found(following.investigation)) if following.investigation else ""
    parts = (headline, fit_mrkdwn(one_line(latest.value, 600), 900), facts, fit_mrkdwn(" ".join(came.split()), 400))
    return " ".join(part for part in parts if part)


def recovered(known: KnownCycle, person: str) -> Message:
    """To who wanted to hear of it, under the card."""
    now = standing(known.cycle)
    lasted = f" after {duration(now.lasted)}" if now.lasted is not None else ""
    again = "" if now.state is Transition.RECOVERED else " Since then it has triggered again: see the card."
    return sentences(f"{mention(person)}, 🟢 {escape(_name(known.cycle.latest))} recovered{lasted}.{again}")


def started_since() -> Message:
    return sentences("The budget kept this from starting automatically; somebody has started it since.")


def will_tell() -> Message:
    return sentences("I tell you in this thread when it recovers, once.")


def recovered_already() -> Message:
    return sentences("It has recovered by now; the card says since when.")


def released() -> Message:
    return sentences("You are off it, and nobody is on it now. Press “I'm on it” to take it again.")


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
