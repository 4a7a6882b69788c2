"""Cases, projects, case types and people as Datadog returns them, made from its JSON. No calls here.

Datadog leaves members out until they are set, and adds words to its enums: absent is empty, every word is kept.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.datadog.shapes import JsonObject, flag, member, objects, text, texts

PRIORITIES = ("P1", "P2", "P3", "P4", "P5", "NOT_DEFINED")
STANDARD_TYPE = "00000000-0000-0000-0000-000000000001"


@dataclass(frozen=True, slots=True)
class Insight:
    """One reference attached to a case; `ref` is the path and query inside Datadog's app, without a host."""

    type: str
    ref: str
    resource_id: str

    @property
    def key(self) -> tuple[str, str]:
        """What makes two insights the same one, whatever their refs."""
        return self.type, self.resource_id


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    name: str = ""
    email: str = ""
    handle: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    id: str
    key: str
    title: str
    description: str = ""
    status: str = ""  # OPEN, IN_PROGRESS, CLOSED and others
    status_name: str = ""  # the type's own word for it
    priority: str = ""
    type: str = ""
    type_id: str = ""
    project_id: str = ""
    assignee: Person | None = None
    insights: tuple[Insight, ...] = ()
    insights_known: bool = False  # False when the answer did not list them at all
    created_at: datetime | None = None
    modified_at: datetime | None = None
    archived_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Project:
    id: str
    key: str
    name: str
    enabled_type_ids: tuple[str, ...] = ()  # custom types usable here


@dataclass(frozen=True, slots=True)
class StatusOption:
    name: str
    group: str  # open, in_progress or closed
    default: bool = False


@dataclass(frozen=True, slots=True)
class CaseType:
    id: str
    name: str
    internal: bool = False  # one of Datadog's own
    deleted: bool = False  # deleted types stay in Datadog's list
    statuses: tuple[StatusOption, ...] = ()


def read_case(data: JsonObject, included: tuple[JsonObject, ...] = ()) -> Case | None:
    """A case out of an answer's `data`; None when it has no id. Names of people come from `included`."""
    if not text(data, "id"):
        return None
    people = {person.id: person for person in map(read_person, included) if person}
    told = member(data, "attributes")
    return Case(
        id=text(data, "id"),
        key=text(told, "key"),
        title=text(told, "title"),
        description=text(told, "description"),
        status=text(told, "status"),
        status_name=text(told, "status_name"),
        priority=text(told, "priority"),
        type=text(told, "type"),
        type_id=text(told, "type_id"),
        project_id=text(data, "relationships", "project", "data", "id"),
        assignee=_assignee(data, people),
        insights=tuple(_insights(told)),
        insights_known=isinstance(member(told, "insights"), list),
        created_at=moment(text(told, "created_at")),
        modified_at=moment(text(told, "modified_at")),
        archived_at=moment(text(told, "archived_at")),
    )


def read_person(data: JsonObject) -> Person | None:
    if not text(data, "id"):
        return None
    told = member(data, "attributes")
    return Person(text(data, "id"), text(told, "name"), text(told, "email"), text(told, "handle"))


def read_project(data: JsonObject) -> Project | None:
    if not text(data, "id"):
        return None
    told = member(data, "attributes")
    return Project(
        id=text(data, "id"),
        key=text(told, "key"),
        name=text(told, "name") or text(told, "key"),
        enabled_type_ids=texts(told, "enabled_custom_case_types"),
    )


def read_case_type(data: JsonObject) -> CaseType | None:
    if not text(data, "id"):
        return None
    told = member(data, "attributes")
    return CaseType(
        id=text(data, "id"),
        name=text(told, "name"),
        internal=flag(told, "internal"),
        deleted=bool(text(told, "deleted_at")),
        statuses=tuple(_statuses(told)),
    )


def moment(timestamp: str) -> datetime | None:
    """A time as Datadog writes it, with 6 or 9 fractional digits; None for anything else."""
    try:
        read = datetime.fromisoformat(timestamp)
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _assignee(data: JsonObject, people: Mapping[str, Person]) -> Person | None:
    person_id = text(data, "relationships", "assignee", "data", "id")
    return people.get(person_id, Person(person_id)) if person_id else None


def _insights(told: object) -> Iterator[Insight]:
    for entry in objects(told, "insights"):
        insight = Insight(text(entry, "type"), text(entry, "ref"), text(entry, "resource_id"))
        if insight.type and insight.resource_id:
            yield insight


def _statuses(told: object) -> Iterator[StatusOption]:
    for group in ("open", "in_progress", "closed"):
        default = text(told, "statuses_config", group, "default")
        for option in objects(told, "statuses_config", group, "status_options"):
            name = text(option, "name")
            if name:
                yield StatusOption(name, group, default=name == default)
