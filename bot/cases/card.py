"""The case card: one message a thread, edited in place after each action, saying how the case stands and who did what."""

from bot.cases.catalog import MOST_OPTIONS, NO_PRIORITY
from bot.cases.model import DoneAction, KnownCase
from bot.datadog.cases import PRIORITIES, TICKETS, Ticket
from bot.slack.blocks import (
    Block,
    Message,
    actions,
    button,
    context,
    option,
    overflow,
    plain,
    rich_link,
    rich_section,
    rich_text,
    run,
)
from bot.slack.errors import explain
from bot.slack.forms import select
from bot.slack.text import code, escape, mention, moment, named_link, one_line
from bot.wording import CASE, DATADOG, INSIGHT, INSIGHTS, OPEN_IN_DATADOG, counted

OPEN = "case:open"
STATUS = "case:status"
PRIORITY = "case:priority"
ASSIGN = "case:assign"
ASSIGN_TO = "case:assign_to"
COMMENT = "case:comment"
ATTACH = "case:attach"
MORE = "case:more"
# what the menu offers
EDIT_ATTRIBUTES, ESCALATE, ARCHIVE, UNARCHIVE = "attributes", "escalate", "archive", "unarchive"

_BLOCK = "case"
_TITLE_LIMIT = 200
_WORD_LIMIT = 75
_ATTRIBUTES_SHOWN = 10
_STATUS_SIGNS = {"OPEN": "🔵", "IN_PROGRESS": "🟠", "CLOSED": "✅"}
_PRIORITY_SIGNS = {"P1": "🔴", "P2": "🟠", "P3": "🟡"}
_PRIORITY_WORDS = {NO_PRIORITY: "No priority"}


def case_card(known: KnownCase, app_url: str, escalated: Message | None = None) -> Message:
    """`escalated` says how that stands to which the case was escalated."""
    if known.gone:
        return _gone_card(known)
    blocks = [
        rich_text(rich_section(_headline(known, app_url))),
        rich_text(rich_section(_stands(known))),
        context(_facts_line(_more_facts(known))),
        *_attributes(known),
        *_tickets(known),
        *(escalated.blocks or () if escalated else ()),
        *_unseen(known),
        *_done(known),
        _controls(known, app_url),
    ]
    return Message(" ".join(filter(None, [_spoken(known), escalated.text if escalated else ""])), blocks)


def case_url(known: KnownCase, app_url: str) -> str:
    return f"{app_url}/cases/{known.name}"


def case_title(known: KnownCase) -> str:
    """One plain line; not escaped."""
    return one_line(known.title, _TITLE_LIMIT) or f"{CASE} without a title"


def priority_word(priority: str) -> str:
    return _PRIORITY_WORDS.get(priority, one_line(priority, _WORD_LIMIT) or _PRIORITY_WORDS[NO_PRIORITY])


def _more_facts(known: KnownCase) -> list[tuple[str, str]]:
    """Pairs of a label and a plain, untrusted value."""
    insights = [] if known.insights is None else [(INSIGHTS.capitalize(), str(known.insights))]
    named = [("Project", one_line(known.project_name, _WORD_LIMIT)), ("Type", one_line(known.type_name, _WORD_LIMIT))]
    comments = [("Comments", str(known.comments))] if known.comments else []
    return [*((label, name) for label, name in named if name), *insights, *comments]


def _facts_line(facts: list[tuple[str, str]]) -> str:
    return " · ".join(f"{label}: {escape(value)}" for label, value in facts)


def stands_words(known: KnownCase) -> str:
    """How the case stands, in one plain line."""
    return " · ".join(f"{sign} {word}" for sign, word in _signed(known))


def stands_line(known: KnownCase) -> str:
    """The same as mrkdwn."""
    return escape(stands_words(known))


def status_sign(known: KnownCase) -> str:
    return _STATUS_SIGNS.get(known.status, "🔵")


def _signed(known: KnownCase) -> list[tuple[str, str]]:
    """State, priority and person, each with its sign; the words are plain and untrusted."""
    status = one_line(known.status_word, _WORD_LIMIT) or "status unknown"
    return [
        (status_sign(known), status),
        (_PRIORITY_SIGNS.get(known.priority, "⚪"), priority_word(known.priority)),
        ("👤", one_line(known.assignee, _WORD_LIMIT) or "nobody yet"),
    ]


def row_of_block(block_id: str) -> int:
    """The case behind a control of its card; 0 for anything else."""
    kind, _, rest = block_id.partition(":")
    row = rest.partition(":")[0]
    return int(row) if kind == _BLOCK and row.isascii() and row.isdigit() and len(row) < 16 else 0


def _headline(known: KnownCase, app_url: str) -> list[Block]:
    archived = [run(" (archived)", "italic")] if known.archived else []
    link = rich_link(case_url(known, app_url), known.name, "bold")
    return [run(f"{CASE.capitalize()} "), link, run(f" {case_title(known)}", "bold"), *archived]


def _stands(known: KnownCase) -> list[Block]:
    runs: list[Block] = []
    for sign, word in _signed(known):
        runs += [run(f"{' · ' if runs else ''}{sign} "), run(word, "bold")]
    return runs


def _attributes(known: KnownCase) -> list[Block]:
    """Labels, tags and the organisation's own attributes, where there are any."""
    plain = ((name, ", ".join(values)) for name, values in known.attributes)
    told = [f"{escape(one_line(name, 60))}: {escape(one_line(value, 120))}" for name, value in (*known.custom, *plain)]
    more = [f"and {len(told) - _ATTRIBUTES_SHOWN} more"] if len(told) > _ATTRIBUTES_SHOWN else []
    return [context(" · ".join((*told[:_ATTRIBUTES_SHOWN], *more)))] if told else []


def _tickets(known: KnownCase) -> list[Block]:
    """What hangs on the case in other systems."""
    told = [f"{TICKETS[each.system]}: {_ticket(each)}" for each in known.tickets if each.system in TICKETS]
    return [context(" · ".join(told))] if told else []


def _ticket(ticket: Ticket) -> str:
    match ticket.status:
        case "COMPLETED":
            name = one_line(ticket.name, _WORD_LIMIT)
            return named_link(ticket.url, name) if ticket.url else escape(name) or "made"
        case "IN_PROGRESS":
            return "being made…"
        case "FAILED":
            return "could not be made"
        case other:
            return escape(one_line(other, _WORD_LIMIT))


def _unseen(known: KnownCase) -> list[Block]:
    """A card that stands still says so."""
    if known.unseen is None:
        return []
    return [context(f"⚠️ What is done in {DATADOG} does not show here just now. {explain(known.unseen)}")]


def _done(known: KnownCase) -> list[Block]:
    lines = [f"{_said(action)} · {moment(action.at)}" for action in known.done]
    return [context("\n".join(lines))] if lines else []


def _said(action: DoneAction) -> str:
    who = mention(action.person) if action.person else "A channel's rule"
    return f"{who} {escape(one_line(action.said, 300))}"


def _controls(known: KnownCase, app_url: str) -> Block:
    value = str(known.id)
    elements = [
        *_status_select(known),
        _priority_select(),
        button("Assign to me", ASSIGN, value=value),
        {"type": "users_select", "action_id": ASSIGN_TO, "placeholder": plain("Assign to …")},
        button("Add comment", COMMENT, value=value),
        button(f"Attach {INSIGHTS}", ATTACH, value=value),
        button(OPEN_IN_DATADOG, OPEN, url=case_url(known, app_url)),
        _menu(known),
    ]
    # how the case stands is said once, above; a new block id makes every client forget what was chosen here
    return actions(*elements, block_id=f"{_BLOCK}:{known.id}:{known.version}")


def _menu(known: KnownCase) -> Block:
    put_away = option("Unarchive", UNARCHIVE) if known.archived else option("Archive", ARCHIVE)
    return overflow(MORE, option("Escalate…", ESCALATE), option("Labels and attributes…", EDIT_ATTRIBUTES), put_away)


def _status_select(known: KnownCase) -> list[Block]:
    names = [name for name in known.offered_statuses if one_line(name) and len(name) <= _WORD_LIMIT]
    options = [option(name, name) for name in dict.fromkeys(names[:MOST_OPTIONS])]
    if not options:
        return []
    return [{**select(STATUS, options), "placeholder": plain("Set status")}]


def _priority_select() -> Block:
    options = [option(priority_word(each), each) for each in PRIORITIES]
    return {**select(PRIORITY, options), "placeholder": plain("Set priority")}


def _gone_card(known: KnownCase) -> Message:
    told = f"{DATADOG} has no such {CASE} any more: it was deleted, or moved to another project under a new key."
    runs = [run(f"{CASE.capitalize()} "), run(known.name, "strike"), run(f" {case_title(known)}. "), run(told)]
    blocks = [rich_text(rich_section(runs)), *_done(known)]
    return Message(f"{CASE.capitalize()} {code(known.name, 60)} {escape(case_title(known))}. {told}", blocks)


def _spoken(known: KnownCase) -> str:
    """The whole card in a few sentences, for notifications and screen readers."""
    attached = [] if known.insights is None else [f"{counted(known.insights, INSIGHT, INSIGHTS)}."]
    last = [f"{_said(action)}." for action in known.done[-1:]]
    head = f"{CASE.capitalize()} {escape(known.name)}: {escape(case_title(known))}."
    return " ".join([head, f"{stands_line(known)}.", *attached, *last])
