"""A case as one of Slack's Work Objects: what its card carries besides, what the details pane shows, and what was edited there.

All words are plain: Slack is told of no format, and nothing in them may look like a token of its own.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.cases.card import case_title, case_url, priority_word
from bot.cases.model import CaseActionKind, KnownCase
from bot.datadog.cases import PRIORITIES, Case, Comment, Insight
from bot.datadog.insights import KINDS
from bot.slack.blocks import Block, option
from bot.slack.forms import FormState
from bot.slack.text import is_user, one_line, utc
from bot.wording import CASE, DATADOG, INSIGHTS, is_said_in_slack

STATUS, PRIORITY, ASSIGNEE = "status", "priority", "assignee"
ENTITY_TYPE = "slack#/entities/task"
_EXTERNAL = "datadog_case"
_WORD = 75
_DESCRIPTION = 1_500
_INSIGHTS_SHOWN = 15
_COMMENTS_SHOWN = 8
_STATUS_COLOURS = {"OPEN": "blue", "IN_PROGRESS": "yellow", "CLOSED": "green"}
_PRIORITY_COLOURS = {"P1": "red", "P2": "yellow"}


def card_entity(known: KnownCase, app_url: str) -> Block:
    """Only what does not change: Slack takes no other entity with an edit of the message."""
    return _entity(known, app_url, {})


@dataclass(frozen=True, slots=True)
class Edited:
    """What somebody chose in the pane: for each change its kind and value, by the field; or why it can't be."""

    changes: Mapping[str, tuple[CaseActionKind, str]]
    problems: Mapping[str, str]


def details(
    known: KnownCase,
    app_url: str,
    case: Case | None = None,
    comments: Sequence[Comment] | None = None,
    *,
    note: str = "",
    edited: Mapping[str, str] | None = None,
) -> Block:
    """`edited` are values by field that were chosen and are on their way to Datadog; `note` is plain, too."""
    chosen = edited or {}
    status, priority = chosen.get(STATUS, known.status_word), chosen.get(PRIORITY, known.priority)
    fields: Block = {
        STATUS: _text(status, _STATUS_COLOURS.get(known.status, "gray")) | _select(status, _statuses(known)),
        PRIORITY: _text(priority_word(priority), _PRIORITY_COLOURS.get(priority, "gray"))
        | _select(priority, [(priority_word(each), each) for each in PRIORITIES]),
        ASSIGNEE: _assignee(known, case, chosen.get(ASSIGNEE, "")),
    }
    if case is not None:
        fields |= _moments(case)
        if words := _plain(case.description, _DESCRIPTION):
            fields["description"] = {"value": words}
    own = [
        *_listed("insights", INSIGHTS.capitalize(), [_insight(each) for each in (case and case.insights) or ()]),
        *_listed("timeline", "Timeline", [_comment(each) for each in (comments or ())[:_COMMENTS_SHOWN]]),
        *_one("project", "Project", known.project_name),
        *_one("type", "Type", known.type_name),
        *_one("note", "Note", note),
    ]
    order = [STATUS, PRIORITY, ASSIGNEE, *(each["key"] for each in own), *list(fields)[3:]]
    return _entity(known, app_url, {"fields": fields, "custom_fields": own, "display_order": order})


def read_edits(known: KnownCase, view: Mapping[str, Any]) -> Edited:
    """Only what was changed comes; a field that is not ours to change is told so."""
    changes: dict[str, tuple[CaseActionKind, str]] = {}
    problems: dict[str, str] = {}
    state = FormState(view)
    for field in (view.get("state") or {}).get("values") or {}:
        read = _EDITABLE.get(field, _of_another)
        try:
            if change := read(known, state, f"{field}.input"):
                changes[field] = change
        except _NotPossible as why:
            problems[str(field)] = str(why)
    return Edited(changes, problems)


class _NotPossible(Exception):  # noqa: N818  the message is for whoever tried
    pass


_Change = tuple[CaseActionKind, str] | None


def _status_of(known: KnownCase, state: FormState, field: str) -> _Change:
    value = state.choice(field)
    if value not in known.offered_statuses:
        raise _NotPossible(f"This {CASE} has no such status. Refresh, then choose again.")
    if known.is_security and known.closes(value):
        raise _NotPossible(f"A security {CASE} is closed with a reason: set it on its card.")
    return (CaseActionKind.STATUS, value) if value != known.status_word else None


def _priority_of(known: KnownCase, state: FormState, field: str) -> _Change:
    value = state.choice(field)
    if value not in PRIORITIES:
        raise _NotPossible(f"{DATADOG} has no such priority. Refresh, then choose again.")
    return (CaseActionKind.PRIORITY, value) if value != known.priority else None


def _assignee_of(_known: KnownCase, state: FormState, field: str) -> _Change:
    value = state.person(field)
    if not is_user(value):
        raise _NotPossible("Choose somebody of this workspace.")
    return CaseActionKind.ASSIGN, value


def _of_another(_known: KnownCase, _state: FormState, _field: str) -> _Change:
    raise _NotPossible(f"This can't be changed here. Open the {CASE} in {DATADOG}.")


_EDITABLE: dict[str, Callable[[KnownCase, FormState, str], _Change]] = {
    STATUS: _status_of,
    PRIORITY: _priority_of,
    ASSIGNEE: _assignee_of,
}


def case_id_of(external_ref: object) -> str:
    """The case a Work Object stands for; empty for what is none of ours."""
    told = external_ref if isinstance(external_ref, Mapping) else {}
    return str(told.get("id") or "") if told.get("type") in {_EXTERNAL, None} else ""


# -- its parts ----------------------------------------------------------------------------------------------------------


def _entity(known: KnownCase, app_url: str, payload: Block) -> Block:
    attributes = {
        "title": {"text": _plain(case_title(known), 200)},
        "display_id": _plain(known.name, 60),
        "display_type": CASE.capitalize(),
        "product_name": DATADOG,
    }
    return {
        "entity_type": ENTITY_TYPE,
        "external_ref": {"id": known.case_id, "type": _EXTERNAL},
        "url": case_url(known, app_url),
        "entity_payload": {"attributes": attributes, **payload},
    }


def _statuses(known: KnownCase) -> list[tuple[str, str]]:
    return [
        (name, name)
        for name in dict.fromkeys(known.offered_statuses)
        if one_line(name) and len(name) <= _WORD and not (known.is_security and known.closes(name))
    ]


def _text(value: str, colour: str) -> Block:
    return {"value": _plain(value, _WORD) or "unknown", "type": "string", "tag_color": colour}


def _select(current: str, offered: Sequence[tuple[str, str]]) -> Block:
    if not offered:
        return {}
    select: Block = {"static_options": [option(_plain(words, _WORD), value) for words, value in offered]}
    if current in {value for _, value in offered}:
        select["current_value"] = current
    return {"edit": {"enabled": True, "select": select}}


def _assignee(known: KnownCase, case: Case | None, chosen: str) -> Block:
    """By their address Slack finds them itself."""
    email = case.assignee.email if case and case.assignee else ""
    name: Block = {"text": _plain(known.assignee, _WORD) or "nobody yet"}
    user = {"user_id": chosen} if chosen else name | ({"email": email} if email else {})
    return {"type": "slack#/types/user", "user": user, "edit": {"enabled": True}}


def _moments(case: Case) -> Block:
    told = {"date_created": case.created_at, "date_updated": case.modified_at}
    return {name: {"value": int(at.timestamp())} for name, at in told.items() if at is not None}


def _one(key: str, label: str, value: str) -> Iterator[Block]:
    if words := _plain(value, 500):
        yield {"key": key, "label": label, "value": words, "type": "string"}


def _listed(key: str, label: str, items: Sequence[str]) -> Iterator[Block]:
    told = [each for each in items if each]
    if not told:
        yield {"key": key, "label": label, "value": "none", "type": "string"}
        return
    more = [f"and {len(told) - _INSIGHTS_SHOWN} more"] if len(told) > _INSIGHTS_SHOWN else []
    values = [{"value": each, "type": "string"} for each in (*told[:_INSIGHTS_SHOWN], *more)]
    yield {"key": key, "label": label, "value": values, "type": "array", "item_type": "string"}


def _insight(insight: Insight) -> str:
    name = next((kind.name for kind in KINDS.values() if kind.type == insight.type), insight.type)
    return _plain(f"{name} {insight.resource_id}", 150)


def _comment(comment: Comment) -> str:
    """What was said from Slack names who said it itself."""
    who = "" if is_said_in_slack(comment.message) else f"{comment.author or 'Somebody'}: "
    return _plain(f"{_when(comment.created_at)}{who}{comment.message}", 400)


def _when(at: datetime | None) -> str:
    return f"{utc(at.timestamp())} · " if at else ""


def _plain(words: str, limit: int) -> str:
    return one_line(words, limit).replace("<", "\u2039").replace(">", "\u203a")
