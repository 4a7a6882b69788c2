"""Calls to Case Management. A case is named by its key or its UUID; a change answers the whole case."""

from collections.abc import Sequence

from bot.datadog.case_model import (
    Case,
    CaseType,
    Insight,
    Project,
    read_case,
    read_case_type,
    read_project,
)
from bot.datadog.client import Datadog
from bot.datadog.errors import Unreadable
from bot.datadog.shapes import JsonObject, member, objects, segment

READ = "cases_read"
WRITE = "cases_write"
MOST_INSIGHTS = 100  # in one request
_PATH = "/api/v2/cases"


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
        return _case(await self._client.call("POST", _PATH, json={"data": data}, permission=WRITE), "POST", _PATH)

    async def get(self, case: str) -> Case:
        path = f"{_PATH}/{segment(case)}"
        return _case(await self._client.call("GET", path, permission=READ), "GET", path)

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
        included = tuple(objects(answer, "included"))
        read = (read_case(data, included) for data in objects(answer, "data"))
        return tuple(case for case in read if case)

    async def set_status(self, case: str, status: str) -> Case:
        """OPEN, IN_PROGRESS or CLOSED. Where the type has names of its own, prefer `set_status_name`."""
        return await self._change(case, "status", {"status": status})

    async def set_status_name(self, case: str, status_name: str) -> Case:
        return await self._change(case, "status", {"status_name": status_name})

    async def set_priority(self, case: str, priority: str) -> Case:
        return await self._change(case, "priority", {"priority": priority})

    async def assign(self, case: str, user_id: str) -> Case:
        return await self._change(case, "assign", {"assignee_id": user_id})

    async def comment(self, case: str, message: str) -> None:
        """Not idempotent: after an unclear answer, look into the timeline before sending it again."""
        body = _body({"comment": message})
        await self._client.call("POST", f"{_PATH}/{segment(case)}/comment", json=body, permission=WRITE)

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
        return _case(answer, method, path)

    async def projects(self) -> tuple[Project, ...]:
        """All projects; Datadog does not page them."""
        answer = await self._client.call("GET", f"{_PATH}/projects", permission=READ)
        return tuple(project for project in map(read_project, objects(answer, "data")) if project)

    async def types(self) -> tuple[CaseType, ...]:
        """All case types, those deleted included."""
        answer = await self._client.call("GET", f"{_PATH}/types", permission=READ)
        return tuple(case_type for case_type in map(read_case_type, objects(answer, "data")) if case_type)

    async def _change(self, case: str, what: str, attributes: JsonObject) -> Case:
        path = f"{_PATH}/{segment(case)}/{what}"
        answer = await self._client.call("POST", path, json=_body(attributes), permission=WRITE)
        return _case(answer, "POST", path)


def _body(attributes: JsonObject) -> JsonObject:
    return {"data": {"type": "case", "attributes": attributes}}


def _case(answer: JsonObject, method: str, path: str) -> Case:
    case = read_case(member(answer, "data"), tuple(objects(answer, "included")))
    if case is None:
        raise Unreadable(f"Datadog's answer to {method} {path} holds no case", method=method, path=path)
    return case
