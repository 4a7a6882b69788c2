"""Whatever is sent to a call that takes a body, the fake answers it: done, or refused in one of Datadog's shapes."""

import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.datadog import SECURITY, STANDARD, FakeDatadog
from bot.sandbox.datadog.alert_routes import FakeRule, FakeVariable, FakeWebhook
from bot.sandbox.datadog.api import ROUTES
from bot.sandbox.datadog.case_model import FakeCaseRule
from bot.sandbox.datadog.journal import Seen
from tests.sandbox.datadog.conftest import KEYS, Body, Clock, about, case_body, question

WEBHOOKS = "/api/v1/integration/webhooks/configuration"
HEADERS = {**KEYS, "Content-Type": "application/json"}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**19) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=3,
)


def ref(kind: str, name: str = "1") -> Body:
    return {"data": {"id": name, "type": kind}}


def typed(kind: str, **attributes: Any) -> Body:
    return {"data": {"type": kind, "attributes": attributes}}


def world() -> tuple[FakeDatadog, dict[str, tuple[Body, ...]]]:
    """A small world, and for each call that takes a body some that are right in it."""
    fake = FakeDatadog(clock=Clock(), seed=3)
    alert = fake.fire(fake.add_monitor("Disk", id=12), group="host:a")
    project, user, incident = fake.add_project("SRE"), fake.add_user("Ada", "a@b.example"), fake.add_incident("Down")
    case = fake.add_case("Disk", project, type=SECURITY)
    fake.org.case_management.cases = {"CASE": case}
    fake.org.case_management.custom_attributes = {"ATTRIBUTE": fake.add_custom_attribute("band", "Band")}
    fake.org.webhooks = {"NAME": FakeWebhook("NAME", "https://x.example")}
    fake.org.variables = {"NAME": FakeVariable("NAME", "x", is_secret=True)}
    fake.org.rules = {"RULE": FakeRule("RULE", "Ours", ("a:b",), ("webhook-NAME",), 0.0, 0.0)}
    new = case_body(title="Disk", type_id=STANDARD.id, description="", priority="P1", custom_attributes={})
    assignee = ref("user", user.id)
    new["data"]["relationships"] = {"project": ref("project", project.id), "assignee": assignee}
    insight = {"type": "MONITOR", "ref": "/monitors/1", "resource_id": "1"}
    ends = {
        "parent_entity_type": "CASE",
        "parent_entity_id": "CASE",
        "child_entity_type": "CASE",
        "child_entity_id": "CASE",
    }
    window = {"start": None, "end": "2036-11-18T10:26:40Z"}
    notify = {"notify_end_types": ["expired"], "notify_end_states": ["alert"], "message": "x"}
    target = {"monitor_id": 12}
    search = {"filter": {"query": "a:b", "from": "now-1d", "to": "now"}, "page": {"limit": 1, "cursor": "e30"}}
    grouping = {"groups": ["status"], "limit": 3}
    hook = {"url": "https://x.example/y", "payload": '{"a": "$ID"}', "custom_headers": "{}", "encode_as": "form"}
    rule = {"name": "Ours", "filter": {"tags": ["a:b"]}, "recipients": ["webhook-NAME"]}
    kind = "monitor-notification-rule"
    case_rule: dict[str, Any] = {"recipients": [{"type": "HTTP", "data": {"name": "NAME"}}], "is_enabled": True}
    case_rule["triggers"] = [{"type": "STATUS_TRANSITIONED", "data": {"to_status_name": "Closed"}}]
    fake.org.case_management.rules["RULE"] = FakeCaseRule("RULE", project, [], [])
    connected = fake.connect_jira("Bug")
    fake.connect_service_now("x")
    fake.add_on_call_team("sre")
    jira = {"issue_type_id": "10004", "jira_account_id": connected.account_id, "project_id": "10000", "fields": {}}
    severity = {"severity": {"type": "dropdown", "value": "SEV-1"}}
    team = {"type": "team_handle", "identifier": "sre"}
    return fake, {
        f"{WEBHOOKS}/webhooks": ({"name": "other", **hook},),
        f"{WEBHOOKS}/webhooks/{{name}}": (hook,),
        f"{WEBHOOKS}/custom-variables": ({"name": "OTHER_1", "value": "x", "is_secret": False},),
        f"{WEBHOOKS}/custom-variables/{{name}}": ({"name": "NAME", "value": "y"},),
        "/api/v2/monitor/notification_rule": (typed(kind, **rule),),
        "/api/v2/monitor/notification_rule/{rule_id}": ({"data": {"id": "RULE", "type": kind, "attributes": rule}},),
        "/api/v2/incidents": (
            typed("incidents", title="Down", customer_impacted=False, fields=severity),
            typed("incidents", title="Down", customer_impacted=True, customer_impact_scope="x"),
        ),
        "/api/v2/on-call/pages": (
            typed("pages", title="Down", urgency="high", target=team, description="", tags=["a"]),
        ),
        "/api/v2/bits-ai/investigations": (
            about(alert),
            question(description="x", tags=["a:b"], start_time=1, end_time=2),
        ),
        "/api/v2/events/search": ({**search, "sort": "timestamp", "options": {"timezone": "UTC"}},),
        "/api/v2/downtime": (
            typed("downtime", scope="a:b AND c:d", monitor_identifier=target, schedule=window, **notify),
            typed("downtime", scope="*", monitor_identifier={"monitor_tags": ["a:b"]}),
        ),
        "/api/v2/cases": (new,),
        "/api/v2/cases/aggregate": (typed("aggregate", query_filter="status:open", group_by=grouping),),
        "/api/v2/cases/bulk": (
            typed("bulk", case_ids=["CASE"], type="priority", payload={"priority": "P1"}),
            typed("bulk", case_ids=["CASE"], type="status", payload={"status": "OPEN"}),
        ),
        "/api/v2/cases/link": (typed("link", relationship="CAUSES", **ends),),
        "/api/v2/cases/projects/{project_id}/notification_rules": (typed("notification_rule", **case_rule),),
        "/api/v2/cases/projects/{project_id}/notification_rules/{rule_id}": (
            typed("notification_rule", **case_rule),
            typed("notification_rule", is_enabled=False, query="status:open"),
        ),
        "/api/v2/cases/projects": (typed("project", key="WEB", name="Web", enabled_custom_case_types=["x"]),),
        "/api/v2/cases/types/{case_type_id}/custom_attributes": (
            typed("custom_attribute", key="size", display_name="Size", is_multi=False, type="NUMBER", description="x"),
        ),
        "/api/v2/cases/types/{case_type_id}/custom_attributes/{custom_attribute_id}": (
            typed("custom_attribute", display_name="Size", type_data={"options": [{"value": "x"}]}),
        ),
        "/api/v2/cases/views": (typed("view", name="Mine", project_id=project.id, query="status:open"),),
        "/status": (case_body(status="OPEN"), case_body(status_name="Closed")),
        "/priority": (case_body(priority="P1"),),
        "/assign": (case_body(assignee_id=user.id),),
        "/unassign": ({"data": {"type": "case"}},),
        "/archive": ({"data": {"type": "case"}},),
        "/unarchive": ({"data": {"type": "case"}},),
        "/title": (case_body(title="x"),),
        "/description": (case_body(description="x"),),
        "/attributes": (case_body(attributes={"service": ["web"]}),),
        "/due_date": (case_body(due_date="2026-12-31"),),
        "/resolved_reason": (case_body(security_resolved_reason="FALSE_POSITIVE"),),
        "/custom_attributes/{key}": (
            case_body(type="NUMBER", is_multi=True, value=[1, 2.5]),
            case_body(type="TEXT", is_multi=False, value="x"),
        ),
        "/insights": (case_body(insights=[insight, insight]),),
        "/comment": (case_body(comment="x"),),
        "/comment/{cell_id}": (case_body(comment="x"),),
        "/relationships/project": (ref("project", project.id),),
        "/relationships/incidents": (ref("incidents", incident.id),),
        "/relationships/jira_issues": (typed("issues", **jira), typed("issues", jira_issue_url="https://x/browse/A-1")),
        "/relationships/servicenow_tickets": (typed("tickets", instance_name="x", assignment_group="y"),),
        "/relationships/notebook": ({"data": {"type": "notebook"}},),
    }


def bodies_for(bodies: dict[str, tuple[Body, ...]], template: str) -> tuple[Body, ...]:
    return bodies[template.removeprefix("/api/v2/cases/{case_id}")]


def send(fake: FakeDatadog, method: str, template: str, body: Any) -> tuple[int, Any]:
    path = template.replace("{case_id}", "CASE").replace("{key}", "size").replace("{cell_id}", "1" * 8)
    path = path.replace("{name}", "NAME").replace("{rule_id}", "RULE")
    path = path.replace("{case_type_id}", STANDARD.id).replace("{custom_attribute_id}", "ATTRIBUTE")
    path = path.replace("{project_id}", next(iter(fake.org.case_management.projects)))
    seen = Seen(1, 0.0, method, path, {}, body)
    answer = fake._server._carry_out(seen, HEADERS, json.dumps(body).encode())
    return answer.status, answer.body


WITH_BODY = [(route.method, route.template) for route in ROUTES if route.body]


def test_a_right_body_is_taken() -> None:
    for method, template in WITH_BODY:
        fake, bodies = world()
        answers = [send(fake, method, template, body)[0] for body in bodies_for(bodies, template)]
        expected = {400} if template.endswith(("{cell_id}", "/search")) else {200, 201, 202, 204}
        assert expected & set(answers), answers


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(place for key, value in inner for place in places(value, (*path, key)))]


def spoiled(body: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    changed = copy.deepcopy(body)
    node = changed
    for key in place[:-1]:
        node = node[key]
    node[place[-1]] = value
    return changed


@given(st.sampled_from(WITH_BODY), st.data())
def test_a_spoiled_body_is_answered_never_tripped_over(call: tuple[str, str], data: st.DataObject) -> None:
    fake, bodies = world()
    body = data.draw(st.sampled_from(bodies_for(bodies, call[1])))
    place = data.draw(st.sampled_from(places(body)))
    status, answer = send(fake, *call, spoiled(body, place, data.draw(VALUES)))
    assert status < 500
    if status >= 400:
        assert answer["errors"]
