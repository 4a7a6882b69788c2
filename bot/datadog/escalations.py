"""What a case is escalated to: an incident, an On-Call page, a ticket in Jira or ServiceNow, a notebook.

None of these calls is idempotent: after an unclear answer look first, where Datadog offers a way to look.
"""

from dataclasses import dataclass

from bot.datadog.cases import READ, WRITE, Case, read_case
from bot.datadog.client import Datadog, JsonObject, member, objects, segment, text
from bot.datadog.errors import Unreadable

READ_INCIDENTS = "incident_read"
WRITE_INCIDENTS = "incident_write"
PAGE_ON_CALL = "on_call_page"
SEVERITIES = ("SEV-1", "SEV-2", "SEV-3", "SEV-4", "SEV-5", "UNKNOWN")
URGENCIES = ("high", "low")
_CASES = "/api/v2/cases"
_INCIDENTS = "/api/v2/incidents"
_PAGES = "/api/v2/on-call/pages"
_JIRA_TEMPLATES = "/api/v2/integration/jira/issue-templates"
_SERVICE_NOW_INSTANCES = "/api/v2/integration/servicenow/instances"
_EVERY_STATE = "state:(active OR stable OR resolved)"
_LOOKED_THROUGH = 100  # of the newest incidents


@dataclass(frozen=True, slots=True)
class Created:
    """What is there now; what Datadog does not tell is empty."""

    id: str = ""
    name: str = ""  # untrusted
    url: str = ""  # untrusted


@dataclass(frozen=True, slots=True)
class JiraTemplate:
    """A kind of issue that the organisation has set up for its Jira; its words are untrusted."""

    id: str
    name: str
    account_id: str
    project_id: str
    issue_type_id: str


class Escalations:
    def __init__(self, client: Datadog) -> None:
        self._client = client

    # -- incidents ------------------------------------------------------------------------------------------------

    async def declare(self, title: str, *, severity: str, impact: str, summary: str) -> Created:
        """`impact` is what customers notice; empty where they notice nothing."""
        fields = {
            "severity": {"type": "dropdown", "value": severity},
            "summary": {"type": "textbox", "value": summary},
        }
        attributes: JsonObject = {"title": title, "customer_impacted": bool(impact), "fields": fields}
        if impact:
            attributes["customer_impact_scope"] = impact
        body: JsonObject = {"data": {"type": "incidents", "attributes": attributes}}
        return self._incident(await self._client.call("POST", _INCIDENTS, json=body, permission=WRITE_INCIDENTS))

    async def declared(self, mark: str) -> Created | None:
        """The newest incident with these words in its summary."""
        params: dict[str, str | int] = {"query": _EVERY_STATE, "sort": "-created", "page[size]": _LOOKED_THROUGH}
        answer = await self._client.call("GET", f"{_INCIDENTS}/search", params=params, permission=READ_INCIDENTS)
        for found in objects(answer, "data", "attributes", "incidents"):
            if mark in text(found, "data", "attributes", "fields", "summary", "value"):
                return self._incident(found)
        return None

    def _incident(self, answer: JsonObject) -> Created:
        incident_id, number = text(answer, "data", "id"), text(answer, "data", "attributes", "public_id")
        if not incident_id:
            raise Unreadable("Datadog's answer holds no incident")
        url = f"{self._client.app_url}/incidents/{number or incident_id}"
        return Created(incident_id, f"#{number}" if number else "", url)

    async def link_incident(self, case: str, incident_id: str) -> Case:
        """Both show it then. Again does no harm."""
        path = f"{_CASES}/{segment(case)}/relationships/incidents"
        body: JsonObject = {"data": {"id": incident_id, "type": "incidents"}}
        answer = await self._client.call("POST", path, json=body, permission=WRITE, repeatable=True)
        return read_case(answer, "POST", path)

    # -- pages ----------------------------------------------------------------------------------------------------

    async def page(self, team: str, title: str, description: str, urgency: str) -> Created:
        """Whoever is on call for a team, named by its handle. Datadog lists no pages: one can't be looked for."""
        attributes: JsonObject = {
            "title": title,
            "description": description,
            "urgency": urgency,
            "target": {"type": "team_handle", "identifier": team},
        }
        body: JsonObject = {"data": {"type": "pages", "attributes": attributes}}
        answer = await self._client.call("POST", _PAGES, json=body, permission=PAGE_ON_CALL)
        return Created(text(answer, "data", "id"), team, f"{self._client.app_url}/on-call/pages")

    async def link_page(self, case_id: str, page_id: str) -> None:
        """The case shows its page then; looked for first, so that again does no harm."""
        params: dict[str, str | int] = {"entity_type": "CASE", "entity_id": case_id}
        linked = await self._client.call("GET", f"{_CASES}/link", params=params, permission=READ)
        if any(text(each, "attributes", "child_entity_id") == page_id for each in objects(linked, "data")):
            return
        attributes: JsonObject = {
            "parent_entity_type": "CASE",
            "parent_entity_id": case_id,
            "child_entity_type": "PAGE",
            "child_entity_id": page_id,
            "relationship": "ESCALATES_TO",
        }
        body: JsonObject = {"data": {"type": "link", "attributes": attributes}}
        await self._client.call("POST", f"{_CASES}/link", json=body, permission=WRITE)

    # -- tickets and the notebook: Datadog makes them in its own time, and the case tells how that goes -----------

    async def jira_templates(self) -> tuple[JiraTemplate, ...]:
        """None where Jira is not connected, or nobody has set up a template."""
        answer = await self._client.call("GET", _JIRA_TEMPLATES)
        found = (_template(each) for each in objects(answer, "data"))
        return tuple(each for each in found if each.id and each.account_id and each.project_id and each.issue_type_id)

    async def make_jira_issue(self, case: str, template: JiraTemplate) -> None:
        attributes = {
            "jira_account_id": template.account_id,
            "project_id": template.project_id,
            "issue_type_id": template.issue_type_id,
        }
        await self._make(case, "jira_issues", {"type": "issues", "attributes": attributes})

    async def service_now_instances(self) -> tuple[str, ...]:
        """Their names."""
        answer = await self._client.call("GET", _SERVICE_NOW_INSTANCES)
        names = (text(each, "attributes", "instance_name") for each in objects(answer, "data"))
        return tuple(name for name in names if name)

    async def make_service_now_ticket(self, case: str, instance: str, group: str) -> None:
        attributes = {"instance_name": instance} | ({"assignment_group": group} if group else {})
        await self._make(case, "servicenow_tickets", {"type": "tickets", "attributes": attributes})

    async def make_notebook(self, case: str) -> None:
        await self._make(case, "notebook", {"type": "notebook"})

    async def _make(self, case: str, what: str, data: JsonObject) -> None:
        path = f"{_CASES}/{segment(case)}/relationships/{what}"
        await self._client.call("POST", path, json={"data": data}, permission=WRITE)


def _template(data: JsonObject) -> JiraTemplate:
    told, template_id = member(data, "attributes"), text(data, "id")
    account = text(data, "relationships", "jira_account", "data", "id")
    name = text(told, "name") or template_id
    return JiraTemplate(template_id, name, account, text(told, "project_id"), text(told, "issue_type_id"))
