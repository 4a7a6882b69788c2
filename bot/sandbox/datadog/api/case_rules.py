"""Notification rules of a project: who hears of what happens to its cases."""

from bot.sandbox.datadog import checks
from bot.sandbox.datadog.answers import JSON_API, Answer, Json, bad_request, missing
from bot.sandbox.datadog.api import case_common as common
from bot.sandbox.datadog.api.call import Call, Route
from bot.sandbox.datadog.case_model import FakeCaseRule

_KIND = "notification_rule"
_NEEDED = {
    "SLACK_CHANNEL": ("workspace_id", "channel_id"),
    "EMAIL": ("email",),
    "HTTP": ("name",),
    "PAGERDUTY_SERVICE": ("service_name",),
    "MS_TEAMS_CHANNEL": ("tenant_id", "team_id", "channel_id"),
}
TRIGGERS = ("CASE_CREATED", "STATUS_TRANSITIONED", "ATTRIBUTE_VALUE_CHANGED", "EVENT_CORRELATION_SIGNAL_CORRELATED")
_OF_SLACK = ("channel", "channel_id", "workspace", "workspace_id")
_OF_TEAMS = ("channel_name", "connector_name", "team_id", "team_name", "tenant_id", "tenant_name")
_RECIPIENT = ("email", "name", "service_name", *_OF_SLACK, *_OF_TEAMS)
_STATUSES = ("from_status", "from_status_name", "to_status", "to_status_name")
_TRIGGER: dict[str, checks.Check] = dict.fromkeys(("field", *_STATUSES), checks.text)
_TRIGGER["change_type"] = checks.one_of("added", "removed", "changed")
_PARTS: dict[str, checks.Check] = {
    "recipients": checks.many(
        checks.record(
            {"type": checks.one_of(*_NEEDED), "data": checks.record({}, dict.fromkeys(_RECIPIENT, checks.filled))}
        ),
        least=1,
    ),
    "triggers": checks.many(
        checks.record({"type": checks.one_of(*TRIGGERS), "data": checks.record({}, _TRIGGER)}), least=1
    ),
}
_MAY: dict[str, checks.Check] = {"is_enabled": checks.boolean, "query": checks.text}
_NEW = checks.resource(_KIND, checks.record(_PARTS, _MAY))
_CHANGED = checks.resource(_KIND, checks.record({}, _PARTS | _MAY))


def _asked(call: Call) -> Json:
    """What binds beyond the shape: each recipient is named, webhooks are there, and so is what a trigger is about."""
    asked = call.body["data"]["attributes"]
    for recipient in asked.get("recipients", ()):
        lacking = [name for name in _NEEDED[recipient["type"]] if name not in recipient["data"]]
        if lacking:
            raise bad_request(f"recipient {recipient['type']} needs {', '.join(lacking)}")
        if recipient["type"] == "HTTP" and recipient["data"]["name"] not in call.org.webhooks:
            raise bad_request(f"webhook {recipient['data']['name']} does not exist")
    for trigger in asked.get("triggers", ()):
        names_field = trigger["type"] != "ATTRIBUTE_VALUE_CHANGED" or "field" in trigger["data"]
        if call.org.case_management.rules_name_a_field and not names_field:
            raise bad_request("trigger ATTRIBUTE_VALUE_CHANGED needs a field")
    return asked


def _rule(call: Call) -> FakeCaseRule:
    project = common.project(call, call.args["project_id"])
    rule = call.org.case_management.rules.get(call.args["rule_id"])
    if rule is None or rule.project is not project:
        raise missing("notification rule not found")
    return rule


def list_rules(call: Call) -> Answer:
    """All of them; this list has no pages."""
    project = common.project(call, call.args["project_id"])
    its = [rule.json() for rule in call.org.case_management.rules.values() if rule.project is project]
    return Answer({"data": its}, content_type=JSON_API)


def create_rule(call: Call) -> Answer:
    _NEW(call.body, "")
    project = common.project(call, call.args["project_id"])
    asked = _asked(call)
    rule = FakeCaseRule(call.world.new_id(), project, asked["recipients"], asked["triggers"])
    _change(rule, asked)
    call.org.case_management.rules[rule.id] = rule
    call.world.happened("case_rule", call.org, rule)
    return Answer({"data": rule.json()}, 201, JSON_API)


def update_rule(call: Call) -> Answer:
    _CHANGED(call.body, "")
    rule = _rule(call)
    _change(rule, _asked(call))
    return Answer(status=204)


def _change(rule: FakeCaseRule, asked: Json) -> None:
    for name in ("recipients", "triggers", "is_enabled", "query"):
        if name in asked:
            setattr(rule, name, asked[name])


def delete_rule(call: Call) -> Answer:
    del call.org.case_management.rules[_rule(call).id]
    return Answer(status=204)


_RULES = common.PATH + "/projects/{project_id}/notification_rules"
_ONE = _RULES + "/{rule_id}"
_BUCKET = "cases_projects"
ROUTES = (
    Route("GET", _RULES, list_rules, common.READ, _BUCKET),
    Route("POST", _RULES, create_rule, common.WRITE, _BUCKET, body=True),
    Route("PUT", _ONE, update_rule, common.WRITE, _BUCKET, body=True),
    Route("DELETE", _ONE, delete_rule, common.WRITE, _BUCKET),
)
