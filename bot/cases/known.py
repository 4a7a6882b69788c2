"""What we know of a case and of what people did to it, and how that is written down and read back. Plain data."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Row

from bot.cases.catalog import Catalog
from bot.cases.choices import status_names
from bot.datadog.case_model import Case, StatusOption

_GROUPS = (("Open", "open", "OPEN"), ("In Progress", "in_progress", "IN_PROGRESS"), ("Closed", "closed", "CLOSED"))


class CaseActionKind(StrEnum):
    CREATED = "created"
    STATUS = "status"
    PRIORITY = "priority"
    ASSIGN = "assign"
    COMMENT = "comment"
    OTHER = "other"  # done elsewhere, only told here


@dataclass(frozen=True, slots=True)
class DoneAct:
    """One thing somebody did to a case through us, as its card tells it."""

    person: str
    said: str  # plain text, untrusted: names of statuses and types are Datadog's
    at: float
    kind: CaseActionKind = CaseActionKind.OTHER


@dataclass(frozen=True, slots=True)
class KnownCase:
    """A case as last seen. All words in it are untrusted."""

    id: int
    org: str
    case_id: str
    key: str
    title: str = ""
    status: str = ""
    status_name: str = ""
    priority: str = ""
    type_id: str = ""
    type_name: str = ""
    project_id: str = ""
    project_name: str = ""
    assignee: str = ""  # a name
    insights: int | None = None
    archived: bool = False
    statuses: tuple[StatusOption, ...] = ()
    version: int = 1
    gone: bool = False
    done: tuple[DoneAct, ...] = field(default=())  # the latest, oldest first

    @property
    def name(self) -> str:
        return self.key or self.case_id

    @property
    def status_word(self) -> str:
        """The status in the type's own words."""
        return self.status_name or self.status.replace("_", " ").capitalize()

    @property
    def offered_statuses(self) -> tuple[StatusOption, ...]:
        """The type's own status names; Datadog's three where the type is not known."""
        return self.statuses or tuple(StatusOption(name, group) for name, group, _ in _GROUPS)

    @property
    def has_own_statuses(self) -> bool:
        return bool(self.statuses)


def plain_status(name: str) -> str:
    """The word for a status where a case's type has no names of its own."""
    return next((word for shown, _, word in _GROUPS if shown == name), "OPEN")


def case_record(case: Case, catalog: Catalog | None, before: dict[str, Any]) -> dict[str, Any]:
    """What a card shows of a case; what an answer leaves out is kept from before."""
    record: dict[str, Any] = {
        "title": case.title,
        "status": case.status,
        "status_name": case.status_name,
        "priority": case.priority,
        "type_id": case.type_id,
        "project_id": case.project_id,
        "assignee": _person_name(case, before),
        "assignee_id": case.assignee.id if case.assignee else "",
        "insights": len(case.insights) if case.insights_known else before.get("insights"),
        "archived": case.archived_at is not None,
    }
    return record | _names(case, catalog, before)


def _person_name(case: Case, before: dict[str, Any]) -> str:
    person = case.assignee
    if person is None:
        return ""
    named = person.name or person.email or person.handle
    same = person.id == before.get("assignee_id")
    return named or (before.get("assignee") if same else "") or "somebody"


def _names(case: Case, catalog: Catalog | None, before: dict[str, Any]) -> dict[str, Any]:
    """What type and project are called: by the catalog, else as known from before while they are still the same."""
    project = catalog.project(case.project_id) if catalog else None
    kind = catalog.type(case.type_id) if catalog else None
    of_before = before if before.get("project_id") == case.project_id else {}
    names = {"project_name": project.name if project else of_before.get("project_name", "")}
    if kind is not None:
        return {**names, "type_name": kind.name, "statuses": [[each.name, each.group] for each in status_names(kind)]}
    of_before = before if before.get("type_id") == case.type_id else {}
    plain = {"type_name": case.type.capitalize(), "statuses": []}
    return {**names, **{name: of_before.get(name, value) for name, value in plain.items()}}


def read_known(row: Row[Any], done: tuple[DoneAct, ...] = ()) -> KnownCase:
    shown = row.shown
    return KnownCase(
        id=row.id,
        org=row.org,
        case_id=row.case_id,
        key=row.key,
        title=shown.get("title", ""),
        status=shown.get("status", ""),
        status_name=shown.get("status_name", ""),
        priority=shown.get("priority", ""),
        type_id=shown.get("type_id", ""),
        type_name=shown.get("type_name", ""),
        project_id=shown.get("project_id", ""),
        project_name=shown.get("project_name", ""),
        assignee=shown.get("assignee", ""),
        insights=shown.get("insights"),
        archived=bool(shown.get("archived")),
        statuses=tuple(StatusOption(name, group) for name, group in shown.get("statuses", ())),
        version=row.version,
        gone=row.gone,
        done=done,
    )
