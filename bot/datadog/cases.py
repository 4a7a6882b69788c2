"""Case Management: cases, projects, case types and people as Datadog returns them, and the calls to it.

A case is named by its key or its UUID; a change answers the whole case. Datadog leaves members out until they are set, and
adds words to its enums: absent is empty, every word is kept.
"""

import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.datadog.case_attributes import (
    Attributes,
    CustomAttribute,
    CustomValue,
    read_attributes,
    read_custom_attributes,
    read_custom_values,
)
from bot.datadog.client import Datadog, JsonObject, flag, member, objects, segment, text, texts, whole
from bot.datadog.errors import DatadogError, NotFound, Unreadable
from bot.datadog.trouble import Trouble, TroubleKind, trouble_of

READ = "cases_read"
WRITE = "cases_write"
READ_USERS = "user_access_read"
MOST_INSIGHTS = 100  # in one request
PRIORITIES = ("P1", "P2", "P3", "P4", "P5", "NOT_DEFINED")
STANDARD_TYPE = "00000000-0000-0000-0000-000000000001"
SECURITY_TYPE = "00000000-0000-0000-0000-000000000003"
# Of Datadog's own types those that a person may open, by id and by name; its products make the others.
_TYPES_BY_HAND = {
    STANDARD_TYPE: "Standard",
    "00000000-0000-0000-0000-000000000002": "Event Management",
    SECURITY_TYPE: "Security",
    "00000000-0000-0000-0000-000000000004": "Change Request",
}
# Why a security case is closed, in Datadog's words and in people's.
CLOSING_REASONS = {
    "TESTING": "Testing",
    "FALSE_POSITIVE": "False positive",
    "ONE_TIME_EXCEPTION": "One-time exception",
}
JIRA, SERVICE_NOW = "jira_issue", "service_now_ticket"
TICKETS = {JIRA: "Jira", SERVICE_NOW: "ServiceNow"}  # as a case names what hangs on it, and what people call it
_PATH = "/api/v2/cases"
_COMMENTS_READ = 50
_CLOCK_SKEW = 120.0  # seconds Datadog's clock may be behind ours


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
class Ticket:
    """What hangs on a case in another system; all of it is untrusted."""

    system: str  # one of TICKETS
    status: str  # IN_PROGRESS, COMPLETED, FAILED and others
    name: str = ""
    url: str = ""


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
    insights: tuple[Insight, ...] | None = None  # None when the answer did not list them at all
    comments: int | None = None  # how many
    created_at: datetime | None = None
    modified_at: datetime | None = None
    archived_at: datetime | None = None
    attributes: Attributes = ()
    custom: tuple[CustomValue, ...] = ()
    tickets: tuple[Ticket, ...] = ()


@dataclass(frozen=True, slots=True)
class SavedView:
    """A search that somebody saved in a project."""

    id: str
    name: str
    query: str


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

    @property
    def by_hand(self) -> bool:
        """Whether a person may open such a case."""
        return not self.internal or self.id in _TYPES_BY_HAND or self.name in _TYPES_BY_HAND.values()


@dataclass(frozen=True, slots=True)
class Comment:
    message: str
    created_at: datetime | None = None
    id: str = ""
    author: str = ""


# -- the calls ----------------------------------------------------------------------------------------------------------


def quoted(words: str) -> str:
    """A search for these very words; what people type is never taken for query syntax."""
    return '"' + " ".join(words.replace("\\", " ").replace('"', " ").split()) + '"'


class Cases:
    def __init__(self, client: Datadog) -> None:
        self._client = client

    async def create(
        self,
        title: str,
        project_id: str,
        type_id: str,
        *,
        description: str = "",
        priority: str = "",
        status_name: str = "",
        assignee_id: str = "",
    ) -> Case:
        """A new case. Not idempotent: after an unclear answer, search before creating another one."""
        optional = {"description": description, "priority": priority, "status_name": status_name}
        given = {name: value for name, value in optional.items() if value}
        relationships: JsonObject = {"project": {"data": {"id": project_id, "type": "project"}}}
        if assignee_id:
            relationships["assignee"] = {"data": {"id": assignee_id, "type": "user"}}
        data = {
            "type": "case",
            "attributes": {"title": title, "type_id": type_id, **given},
            "relationships": relationships,
        }
        return read_case(await self._client.call("POST", _PATH, json={"data": data}, permission=WRITE), "POST", _PATH)

    async def get(self, case: str) -> Case:
        path = f"{_PATH}/{segment(case)}"
        return read_case(await self._client.call("GET", path, permission=READ), "GET", path)

    async def search(self, query: str = "", *, size: int = 10, page: int = 1) -> tuple[Case, ...]:
        """One page of the cases that match, newest first; pages count from 1 and hold up to 100."""
        params: dict[str, str | int] = {
            "page[size]": size,
            "page[number]": page,
            "sort[field]": "created_at",
            "sort[asc]": "false",
        }
        if query:
            params["filter"] = query
        answer = await self._client.call("GET", _PATH, params=params, permission=READ)
        people = _people(answer)
        return tuple(_case(data, people) for data in _with_ids(answer))

    async def set_status(self, case: str, status: str) -> Case:
        """OPEN, IN_PROGRESS or CLOSED. Where the type has names of its own, prefer `set_status_name`."""
        return await self._change(case, "status", {"status": status})

    async def set_status_name(self, case: str, status_name: str) -> Case:
        return await self._change(case, "status", {"status_name": status_name})

    async def set_priority(self, case: str, priority: str) -> Case:
        return await self._change(case, "priority", {"priority": priority})

    async def assign(self, case: str, user_id: str) -> Case:
        return await self._change(case, "assign", {"assignee_id": user_id})

    async def set_resolved_reason(self, case: str, reason: str) -> Case:
        """Of a security case."""
        return await self._change(case, "resolved_reason", {"security_resolved_reason": reason})

    async def archive(self, case: str) -> Case:
        return await self._change(case, "archive")

    async def unarchive(self, case: str) -> Case:
        return await self._change(case, "unarchive")

    async def set_attributes(self, case: str, attributes: Mapping[str, Sequence[str]]) -> Case:
        """All of them: those that are not given are gone."""
        given = {name: list(values) for name, values in attributes.items()}
        return await self._change(case, "attributes", {"attributes": given})

    async def set_custom(self, case: str, value: CustomValue) -> None:
        """One custom attribute; without a value it is taken away, which does nothing where it was not set."""
        what = f"custom_attributes/{segment(value.key)}"
        if value.values:
            await self._change(case, what, value.body)
            return
        with contextlib.suppress(NotFound):
            await self._client.call("DELETE", f"{_PATH}/{segment(case)}/{what}", permission=WRITE)

    async def comment(self, case: str, message: str) -> None:
        """Not idempotent: after an unclear answer, look into the timeline before sending it again."""
        body = _body({"comment": message})
        await self._client.call("POST", f"{_PATH}/{segment(case)}/comment", json=body, permission=WRITE)

    async def comments(self, case: str) -> tuple[Comment, ...]:
        """The newest comments, newest first. The pages of this one list count from zero."""
        path = f"{_PATH}/{segment(case)}/timelines"
        params: dict[str, str | int] = {"page[size]": _COMMENTS_READ, "page[number]": 0, "sort[ascending]": "false"}
        answer = await self._client.call("GET", path, params=params, permission=READ)
        cells = [cell for cell in objects(answer, "data") if text(cell, "attributes", "type") == "COMMENT"]
        return tuple(
            Comment(
                text(cell, "attributes", "cell_content", "message"),
                moment(text(cell, "attributes", "created_at")),
                text(cell, "id"),
                _author(member(cell, "attributes", "author", "content")),
            )
            for cell in cells
        )

    async def comment_once(
        self, case: str, message: str, *, sent_before: float | None, about_to_send: Callable[[], Awaitable[bool]]
    ) -> Trouble | None:
        """Post it unless it is there already; None when it is. Where it may be there it is to be tried again later.

        Datadog has no key for a comment, so a lost answer is looked up in the timeline: `sent_before` is the time (Unix
        seconds) of an earlier try with an unknown outcome. `about_to_send` writes down that there is one from now on.
        """
        try:
            if sent_before is not None and await self._has_comment(case, message, sent_before - _CLOCK_SKEW):
                return None
        except DatadogError:
            return Trouble(TroubleKind.UNCLEAR)
        if not await about_to_send():
            return Trouble(TroubleKind.UNCLEAR)
        try:
            await self.comment(case, message)
        except DatadogError as error:
            return trouble_of(error)
        return None

    async def _has_comment(self, case: str, message: str, since: float) -> bool:
        return any(
            # Datadog may tidy spaces and line ends
            each.message.split() == message.split()
            and (each.created_at is None or each.created_at.timestamp() >= since)
            for each in await self.comments(case)
        )

    async def add_insights(self, case: str, insights: Sequence[Insight]) -> Case:
        """Attach 1 to 100 insights."""
        return await self._change_insights("PUT", case, insights)

    async def remove_insights(self, case: str, insights: Sequence[Insight]) -> Case:
        """Detach 1 to 100 insights, told by type and resource id."""
        return await self._change_insights("DELETE", case, insights)

    async def _change_insights(self, method: str, case: str, insights: Sequence[Insight]) -> Case:
        if not 1 <= len(insights) <= MOST_INSIGHTS:
            raise ValueError(f"One request takes 1 to {MOST_INSIGHTS} insights, not {len(insights)}.")
        listed = [{"type": each.type, "ref": each.ref, "resource_id": each.resource_id} for each in insights]
        path = f"{_PATH}/{segment(case)}/insights"
        answer = await self._client.call(method, path, json=_body({"insights": listed}), permission=WRITE)
        return read_case(answer, method, path)

    async def projects(self) -> tuple[Project, ...]:
        """All projects; Datadog does not page them."""
        answer = await self._client.call("GET", f"{_PATH}/projects", permission=READ)
        return tuple(map(_project, _with_ids(answer)))

    async def types(self) -> tuple[CaseType, ...]:
        """All case types, those deleted included."""
        answer = await self._client.call("GET", f"{_PATH}/types", permission=READ)
        return tuple(map(_case_type, _with_ids(answer)))

    async def custom_attributes(self) -> tuple[CustomAttribute, ...]:
        """Of all types."""
        answer = await self._client.call("GET", f"{_PATH}/types/custom_attributes", permission=READ)
        return tuple(read_custom_attributes(answer))

    async def saved_views(self, project_id: str) -> tuple[SavedView, ...]:
        params: dict[str, str | int] = {"project_id": project_id}
        answer = await self._client.call("GET", f"{_PATH}/views", params=params, permission=READ)
        return tuple(
            SavedView(text(each, "id"), text(each, "attributes", "name"), text(each, "attributes", "query"))
            for each in _with_ids(answer)
        )

    async def user_with_email(self, email: str) -> Person | None:
        """The active user with exactly this address. Datadog's filter also finds names that merely resemble it."""
        wanted = email.strip().casefold()
        if not wanted:
            return None
        params: dict[str, str | int] = {"filter": email.strip(), "filter[status]": "Active", "page[size]": 10}
        answer = await self._client.call("GET", "/api/v2/users", params=params, permission=READ_USERS)
        people = map(_person, _with_ids(answer))
        return next((person for person in people if person.email.casefold() == wanted), None)

    async def _change(self, case: str, what: str, attributes: JsonObject | None = None) -> Case:
        path = f"{_PATH}/{segment(case)}/{what}"
        body: JsonObject = {"data": {"type": "case"}} if attributes is None else _body(attributes)
        answer = await self._client.call("POST", path, json=body, permission=WRITE)
        return read_case(answer, "POST", path)


def _body(attributes: JsonObject) -> JsonObject:
    return {"data": {"type": "case", "attributes": attributes}}


# -- reading answers ----------------------------------------------------------------------------------------------------


def _with_ids(answer: JsonObject, name: str = "data") -> Iterator[JsonObject]:
    return (each for each in objects(answer, name) if text(each, "id"))


def _people(answer: JsonObject) -> dict[str, Person]:
    """Whom the cases of an answer name only by their ids."""
    return {person.id: person for person in map(_person, _with_ids(answer, "included"))}


def read_case(answer: JsonObject, method: str, path: str) -> Case:
    data = member(answer, "data")
    if not text(data, "id"):
        raise Unreadable(f"Datadog's answer to {method} {path} holds no case")
    return _case(data, _people(answer))


def _case(data: JsonObject, people: Mapping[str, Person]) -> Case:
    told = member(data, "attributes")
    assignee = text(data, "relationships", "assignee", "data", "id")
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
        assignee=people.get(assignee, Person(assignee)) if assignee else None,
        insights=tuple(_insights(told)) if isinstance(member(told, "insights"), list) else None,
        comments=whole(told, "comment_count"),
        created_at=moment(text(told, "created_at")),
        modified_at=moment(text(told, "modified_at")),
        archived_at=moment(text(told, "archived_at")),
        attributes=read_attributes(told),
        custom=read_custom_values(told),
        tickets=tuple(_tickets(told)),
    )


def _author(told: object) -> str:
    return text(told, "name") or text(told, "email") or text(told, "handle")


def _tickets(told: object) -> Iterator[Ticket]:
    for system in TICKETS:
        status, made = text(told, system, "status"), member(told, system, "result")
        if status:
            url = text(made, "issue_url") or text(made, "sys_target_link")
            yield Ticket(system, status, text(made, "issue_key"), url)


def _person(data: JsonObject) -> Person:
    told = member(data, "attributes")
    return Person(text(data, "id"), text(told, "name"), text(told, "email"), text(told, "handle"))


def _project(data: JsonObject) -> Project:
    told, key = member(data, "attributes"), text(data, "attributes", "key")
    return Project(text(data, "id"), key, text(told, "name") or key, texts(told, "enabled_custom_case_types"))


def _case_type(data: JsonObject) -> CaseType:
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
