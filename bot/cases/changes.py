"""What each change of a case asks of Datadog. Each may be done again without harm; a comment may not, and is not among them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.cases.catalog import NO_PRIORITY
from bot.cases.model import ATTRIBUTE_CHANGES, CaseAction, CaseActionKind, Closing, KnownCase, plain_status
from bot.datadog.case_attributes import merged
from bot.datadog.cases import Case
from bot.datadog.errors import BadRequest, Refused
from bot.datadog.orgs import ConnectedOrg


@dataclass(frozen=True, slots=True)
class ChangeOutcome:
    said: str  # continues the person's name
    case: Case | None = None


Change = Callable[[ConnectedOrg, CaseAction, KnownCase], Awaitable[ChangeOutcome]]


async def _status(org: ConnectedOrg, action: CaseAction, known: KnownCase) -> ChangeOutcome:
    if known.statuses:
        case = await org.cases.set_status_name(known.case_id, action.value)
    else:
        case = await org.cases.set_status(known.case_id, plain_status(action.value))
    return ChangeOutcome(f"set the status to {action.value}", case)


async def _priority(org: ConnectedOrg, action: CaseAction, known: KnownCase) -> ChangeOutcome:
    case = await org.cases.set_priority(known.case_id, action.value)
    removed = action.value == NO_PRIORITY
    return ChangeOutcome("removed the priority" if removed else f"set the priority to {action.value}", case)


async def _close(org: ConnectedOrg, action: CaseAction, known: KnownCase) -> ChangeOutcome:
    """The reason first: without it the case stays open. Where Datadog takes one of closed cases only, the status is set back
    when the reason is refused after all."""
    closing = Closing.read(action.value)
    said = f"set the status to {closing.status}: {closing.words}"
    try:
        await org.cases.set_resolved_reason(known.case_id, closing.reason)
    except BadRequest:
        before = (await org.cases.get(known.case_id)).status_name
        await org.cases.set_status_name(known.case_id, closing.status)
        try:
            return ChangeOutcome(said, await org.cases.set_resolved_reason(known.case_id, closing.reason))
        except Refused:
            await org.cases.set_status_name(known.case_id, before)
            raise
    return ChangeOutcome(said, await org.cases.set_status_name(known.case_id, closing.status))


async def _archive(org: ConnectedOrg, _action: CaseAction, known: KnownCase) -> ChangeOutcome:
    return ChangeOutcome("archived it", await org.cases.archive(known.case_id))


async def _unarchive(org: ConnectedOrg, _action: CaseAction, known: KnownCase) -> ChangeOutcome:
    return ChangeOutcome("took it out of the archive", await org.cases.unarchive(known.case_id))


async def _attributes(org: ConnectedOrg, action: CaseAction, known: KnownCase) -> ChangeOutcome:
    """Datadog replaces its plain attributes as a whole: those that nobody touched here stay as they are there."""
    changes = ATTRIBUTE_CHANGES.validate_json(action.value)
    for value in changes.custom:
        await org.cases.set_custom(known.case_id, value)
    case = await org.cases.get(known.case_id)
    if changes.plain:
        case = await org.cases.set_attributes(known.case_id, merged(case.attributes, changes.plain))
    return ChangeOutcome(f"changed {changes.changed}", case)


CHANGES: dict[CaseActionKind, Change] = {
    CaseActionKind.STATUS: _status,
    CaseActionKind.PRIORITY: _priority,
    CaseActionKind.CLOSE: _close,
    CaseActionKind.ARCHIVE: _archive,
    CaseActionKind.UNARCHIVE: _unarchive,
    CaseActionKind.ATTRIBUTES: _attributes,
}
