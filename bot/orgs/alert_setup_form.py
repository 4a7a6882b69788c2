"""The window that sets up an organisation's alerts in Datadog: what will be put there, what was typed, what came of it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.datadog.cases import WRITE as WRITE_CASES
from bot.datadog.cases import Project
from bot.datadog.trouble import Trouble, TroubleKind
from bot.datadog.webhooks import LONGEST_TAG, MANAGE, MOST_TAGS, WRITE_RULES
from bot.orgs.alert_setup import SetUp, Undone, case_webhook_of, rule_name, variable_of, webhook_of
from bot.orgs.case_setup import MOST_PROJECTS, CasesSetUp
from bot.orgs.model import OrgEntry
from bot.slack.blocks import Block, Message, context, option, section, sentences
from bot.slack.errors import TroubleWords, explain
from bot.slack.forms import FormState, checkboxes, form_field, modal, text_input
from bot.slack.payloads import carried_in
from bot.slack.text import code, escape, one_line
from bot.wording import APP, CASE, CASES, COMMAND, DATADOG, counted

CALLBACK = "set_up_alerts"
OPEN = "connect:set_up_alerts"
REMOVE = "connect:remove_alerts"
TAGS = "tags"
CASE_CHANGES = "case_changes"

_TAG = re.compile(r"[^:\s,]+:[^\s,]+")


@dataclass(frozen=True, slots=True)
class Opened:
    """What the window is about, and where it was asked for."""

    org: str
    channel: str = ""
    thread_ts: str = ""


def read_metadata(metadata: str) -> Opened:
    told = carried_in(metadata)
    return Opened(*(str(told.get(name) or "") for name in ("org", "channel", "thread_ts")))


def read_tags(view: Mapping[str, Any]) -> tuple[tuple[str, ...], dict[str, str]]:
    """What was typed, and what is wrong with it."""
    tags = tuple(dict.fromkeys(re.findall(r"[^\s,]+", FormState(view).text(TAGS))))
    wrong = next((tag for tag in tags if not _TAG.fullmatch(tag) or len(tag) > LONGEST_TAG), None)
    if wrong is not None:
        return (), {TAGS: f"“{one_line(wrong, 60)}” is no tag: write key:value, like env:prod."}
    if len(tags) > MOST_TAGS:
        return (), {TAGS: f"{DATADOG} takes {MOST_TAGS} tags at most in one rule; these are {len(tags)}."}
    return tags, {}


def wants_cases(view: Mapping[str, Any]) -> bool:
    return bool(FormState(view).choices(CASE_CHANGES))


# -- the window -----------------------------------------------------------------------------------------------------


Projects = Sequence[Project] | Trouble  # those whose cases may tell of changes, or why they are not known


def setup_modal(
    entry: OrgEntry, public_url: str, opened: Opened, projects: Projects = (), *, working: bool = False
) -> Block:
    head = "*Setting it up…* This takes a few seconds; what comes of it appears here." if working else _will(entry)
    field = form_field(
        "Monitors with all of these tags",
        text_input(TAGS, ", ".join(entry.alerts_tags), limit=2000, placeholder="team:sre, env:prod"),
        hint="Left empty, no rule is made: then write the webhook's name into monitors' messages yourself.",
        optional=True,
    )
    cases = _cases(entry, public_url, projects)
    blocks = [section(head), *_put_there(entry, public_url), field, *cases, _needs(entry)]
    metadata = json.dumps({"org": opened.org, "channel": opened.channel, "thread_ts": opened.thread_ts})
    return _modal(blocks, submit="Setting up…" if working else "Set up", metadata=metadata)


def closed_modal(missing: str) -> Block:
    """`missing` is a setting of the bot."""
    why = {
        "BITS_PUBLIC_URL": f"I don't know the https address under which {DATADOG} reaches me",
        "BITS_WEBHOOK_SECRET": "The webhook of this organisation is off: it has no secret",
    }[missing]
    return _modal([section(f"{why}, so nothing can be set up. Ask whoever runs {APP} to set {missing}.")])


def _cases(entry: OrgEntry, public_url: str, projects: Projects) -> list[Block]:
    """Whether cases are to tell of their changes, and what is put there then."""
    if isinstance(projects, Trouble) and projects.kind in _REFUSALS:
        return [context(f"Changes to {CASES} can't be set up: {explain(projects, _OURS)} {_POLLED}")]
    box = checkboxes(CASE_CHANGES, [_AT_ONCE], [_AT_ONCE["value"]] if entry.cases_begun_at else [])
    name = code(case_webhook_of(entry.id, public_url).name, 120)
    told = context(
        f"Ticked, there is also a *webhook* {name}, to the same address, and *a notification rule* that names it in "
        f"{_projects_words(projects)}. Not ticked, none of them stands there. {_POLLED}"
    )
    return [form_field(f"Changes to {CASES}", box, optional=True), told]


def _projects_words(projects: Projects) -> str:
    if isinstance(projects, Trouble) or not projects:
        return f"each {CASE} project, {MOST_PROJECTS} at most"
    names = ", ".join(code(one_line(project.name, 60), 80) for project in projects[:_NAMED])
    more = f" and {len(projects) - _NAMED} more" if len(projects) > _NAMED else ""
    return f"{counted(len(projects), f'{CASE} project')}: {names}{more}"


_AT_ONCE = option(f"Tell me at once when a {CASE} changes", "at_once")
_NAMED = 10
_POLLED = f"{CASE.capitalize()} cards follow {DATADOG} in any case: without this by looking once a minute."
_REFUSALS = {TroubleKind.FORBIDDEN, TroubleKind.UNAUTHORIZED, TroubleKind.NOT_FOUND, TroubleKind.REFUSED}


def _modal(blocks: Sequence[Block], *, submit: str = "", metadata: str = "") -> Block:
    return modal("Alerts into Slack", blocks, callback_id=CALLBACK, submit=submit, metadata=metadata)


def _will(entry: OrgEntry) -> str:
    secret = "" if entry.from_settings else ", with a new secret"
    again = f" What stands there already is brought up to date{secret}." if entry.alerts_begun_at else ""
    return f"*This is put into {DATADOG}* ({code(one_line(entry.name), 80)}) when you press the button.{again}"


def _put_there(entry: OrgEntry, public_url: str) -> list[Block]:
    webhook = webhook_of(entry.id, public_url)
    return [
        section(
            f"1. A *secret variable* {code(variable_of(entry.id), 120)}, which nobody gets to see\n"
            f"2. A *webhook* {code(webhook.name, 120)}, which sends to {code(webhook.url, 300)}\n"
            f"3. A *notification rule* {code(rule_name(entry), 120)}, which sends it the alerts of the monitors below"
        )
    ]


def _needs(entry: OrgEntry) -> Block:
    undo = "Remove alert set-up" if entry.from_settings else "Disconnect"
    owner = f" ({escape(one_line(entry.owner, 80))})" if entry.owner else ""
    return context(
        f"The application key's owner{owner} needs {code(MANAGE)} and, for the rules, {code(WRITE_RULES)} and "
        f"{code(WRITE_CASES)}. Which channel shows which alert is decided there with `{COMMAND} settings`. *{undo}* "
        "removes all of it again."
    )


# -- what came of it ------------------------------------------------------------------------------------------------

_PARTS = ("the secret variable", "the webhook", "the notification rule")
_UNCLEAR = TroubleWords(
    f"{DATADOG} did not answer clearly, so it may have been done or not.",
    "Set it up again: what stands there by then is not made twice.",
)
_OURS = {TroubleKind.UNCLEAR: _UNCLEAR}


def outcome_message(outcome: SetUp | None, public_url: str) -> Message:
    """In the window, or privately once that is closed."""
    if outcome is None:
        return sentences("Somebody is setting this up just now. Wait a minute, then look at it again.")
    cases = _cases_words(outcome.cases, wanted=outcome.cases_wanted) if outcome.cases else ()
    entry, webhook = outcome.entry, webhook_of(outcome.entry.id, public_url)
    name = code(one_line(entry.name), 80)
    if outcome.elsewhere:
        return sentences(
            f"*Nothing was set up:* {DATADOG} has a webhook {code(webhook.name, 120)} already, which sends to "
            f"{code(one_line(outcome.elsewhere), 300)}.",
            f"Another {APP} uses it. Remove it in {DATADOG} first if that one is gone.",
        )
    if outcome.trouble is not None:
        stands = f" What stands already: {', '.join(_PARTS[: outcome.done])}." if outcome.done else ""
        return sentences(
            f"*The alerts of {name} are not set up yet:* {_PARTS[outcome.done]} could not be put in place.{stands}",
            _why(outcome.trouble),
            *cases,
        )
    if outcome.done < 3:
        return sentences(f"{name} is not connected any more, so nothing was set up.")
    return sentences(
        f"*The alerts of {name} are set up in {DATADOG}.*",
        _comes_in(outcome, webhook.recipient),
        *cases,
        f"Now type `{COMMAND} settings` in a channel that is to show them.",
    )


def _comes_in(outcome: SetUp, recipient: str) -> str:
    if not outcome.tags:
        return f"Write `@{recipient}` into the message of each monitor whose alerts you want."
    which = f"Alerts of monitors with {', '.join(code(tag, 80) for tag in outcome.tags[:10])} come in"
    more = f" and {len(outcome.tags) - 10} more tags" if len(outcome.tags) > 10 else ""
    return f"{which}{more} from now on."


def _cases_words(cases: CasesSetUp, *, wanted: bool) -> tuple[str, ...]:
    if not wanted:
        if cases.trouble is None:
            return (f"Changes to {CASES} are not told any more.",)
        return (
            f"*What tells of {CASES} still stands there:* {escape(cases.at)} could not be removed.",
            _why(cases.trouble),
        )
    tell = f"{counted(len(cases.projects), f'{CASE} project')} {'tells' if len(cases.projects) == 1 else 'tell'}"
    done = f"{tell} of changes at once." if cases.projects else ""
    if cases.trouble is None:
        return (done or f"There is no {CASE} project yet. Set it up again when there is one.",)
    failed = f"*Not all changes to {CASES} are told at once:* {code(one_line(cases.at, 80), 120)} could not be set up."
    return tuple(filter(None, (done, failed, _why(cases.trouble), _POLLED)))


def _why(trouble: Trouble) -> str:
    words = explain(trouble, _OURS)
    said = f" {DATADOG} says: {code(one_line(trouble.detail), 300)}" if trouble.detail else ""
    return f"{words}{said}"


def outcome_modal(message: Message) -> Block:
    return _modal([section(message.text)])


def gone_modal() -> Block:
    return _modal([section("That organisation is not connected any more.")])


def undone_sentences(undone: Undone) -> tuple[str, ...]:
    """For somebody who has disconnected an organisation whose alerts were set up, or had that removed."""
    if not undone.left:
        return (f"What was set up in {DATADOG} for its alerts is removed there.",)
    left = ", ".join(code(name, 120) for name in undone.left)
    why = f" {explain(undone.trouble, _OURS).happened}" if undone.trouble else " Its keys can't be used any more."
    return (f"Not removed in {DATADOG}: {left}.{why} Remove that there by hand; it opens nothing here any more.",)
