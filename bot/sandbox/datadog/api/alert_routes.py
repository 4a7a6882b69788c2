"""What sends alerts elsewhere: webhooks with their custom variables, and monitor notification rules."""

import json
import re

from bot.sandbox.datadog import checks, times
from bot.sandbox.datadog.alert_routes import FakeRule, FakeVariable, FakeWebhook
from bot.sandbox.datadog.answers import Answer, Json, Refusal, bad_request, missing, strings
from bot.sandbox.datadog.api.call import Call, Route
from bot.sandbox.datadog.org import FakeOrg

_CONFIGURATION = "/api/v1/integration/webhooks/configuration"
_WEBHOOKS, _VARIABLES = f"{_CONFIGURATION}/webhooks", f"{_CONFIGURATION}/custom-variables"
_RULES = "/api/v2/monitor/notification_rule"
_KIND = "monitor-notification-rule"
_MOST_RULES = 1000

_MAY = {
    "custom_headers": checks.optional(checks.text),
    "payload": checks.optional(checks.text),
    "encode_as": checks.one_of("json", "form"),
}
_NEW_WEBHOOK = checks.record({"name": checks.filled, "url": checks.filled}, _MAY)
_CHANGED_WEBHOOK = checks.record({}, {"name": checks.filled, "url": checks.filled, **_MAY})
_VARIABLE = {"name": checks.filled, "value": checks.text, "is_secret": checks.boolean}
_NEW_VARIABLE, _CHANGED_VARIABLE = checks.record(_VARIABLE), checks.record({}, _VARIABLE)
_TAGS = checks.record({"tags": checks.many(checks.filled, least=1, most=20)})
_RULE = checks.record(
    {"name": checks.at_most(1000)},
    {"filter": _TAGS, "recipients": checks.many(checks.filled, least=1, most=20)},
)


# -- webhooks -------------------------------------------------------------------------------------------------------


def _webhook(call: Call) -> FakeWebhook:
    found = call.org.webhooks.get(call.args["name"])
    if found is None:
        raise Refusal(strings(404, "Webhook does not exist"))
    return found


def _describe_webhook(webhook: FakeWebhook) -> Json:
    return {
        "name": webhook.name,
        "url": webhook.url,
        "payload": webhook.payload,
        "custom_headers": webhook.custom_headers,
        "encode_as": webhook.encode_as,
    }


def get_webhook(call: Call) -> Answer:
    return Answer(_describe_webhook(_webhook(call)))


def create_webhook(call: Call) -> Answer:
    _NEW_WEBHOOK(call.body, "")
    name = call.body["name"]
    if name in call.org.webhooks:
        raise Refusal(strings(400, "Webhook already exists"))
    webhook = call.org.webhooks[name] = FakeWebhook(name, call.body["url"])
    try:
        _change(webhook, call.body)
    except Refusal:
        del call.org.webhooks[name]
        raise
    call.world.happened("webhook", call.org, webhook)
    return Answer(_describe_webhook(webhook), 201)


def update_webhook(call: Call) -> Answer:
    _CHANGED_WEBHOOK(call.body, "")
    webhook = _webhook(call)
    if call.body.get("name", webhook.name) != webhook.name:
        raise Refusal(strings(400, "A webhook keeps its name"))
    _change(webhook, call.body)
    return Answer(_describe_webhook(webhook))


def _change(webhook: FakeWebhook, asked: Json) -> None:
    """Both templates have to be JSON, a variable in them included."""
    if not re.fullmatch(r"\w[\w-]*", webhook.name):
        raise Refusal(strings(400, "Invalid webhook name"))
    if not re.match(r"https?://[^\s/]+", asked.get("url", webhook.url)):
        raise Refusal(strings(400, "Invalid URL"))
    for member in ("payload", "custom_headers"):
        _json_object(asked.get(member), member)
    for member in ("url", "payload", "custom_headers", "encode_as"):
        if member in asked:
            setattr(webhook, member, asked[member])


def _json_object(template: str | None, member: str) -> None:
    if template is None:
        return
    try:
        read = json.loads(template)
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise Refusal(strings(400, f"Invalid JSON in {member}"))


def delete_webhook(call: Call) -> Answer:
    del call.org.webhooks[_webhook(call).name]
    return Answer({})


# -- their variables ------------------------------------------------------------------------------------------------


def _variable(call: Call) -> FakeVariable:
    found = call.org.variables.get(call.args["name"])
    if found is None:
        raise Refusal(strings(404, "Custom variable does not exist"))
    return found


def _describe_variable(variable: FakeVariable) -> Json:
    """A secret one is shown to nobody."""
    told = {"name": variable.name, "is_secret": variable.is_secret}
    return told if variable.is_secret else told | {"value": variable.value}


def get_variable(call: Call) -> Answer:
    return Answer(_describe_variable(_variable(call)))


def create_variable(call: Call) -> Answer:
    _NEW_VARIABLE(call.body, "")
    asked = FakeVariable(**call.body)
    if not re.fullmatch(r"[A-Z0-9_]+", asked.name):
        raise Refusal(strings(400, "Custom variable names hold upper-case letters, digits and underscores only"))
    if asked.name in call.org.variables:
        raise Refusal(strings(400, "Custom variable already exists"))
    call.org.variables[asked.name] = asked
    return Answer(_describe_variable(asked), 201)


def update_variable(call: Call) -> Answer:
    _CHANGED_VARIABLE(call.body, "")
    variable = _variable(call)
    if call.body.get("name", variable.name) != variable.name:
        raise Refusal(strings(400, "A custom variable keeps its name"))
    variable.value = call.body.get("value", variable.value)
    variable.is_secret = call.body.get("is_secret", variable.is_secret)
    return Answer(_describe_variable(variable))


def delete_variable(call: Call) -> Answer:
    del call.org.variables[_variable(call).name]
    return Answer({})


# -- monitor notification rules -------------------------------------------------------------------------------------


def _rule(call: Call) -> FakeRule:
    found = call.org.rules.get(call.args["rule_id"])
    if found is None:
        raise missing("notification rule not found")
    return found


def _describe_rule(org: FakeOrg, rule: FakeRule) -> Json:
    attributes = {
        "name": rule.name,
        "filter": {"tags": list(rule.tags)},
        "recipients": list(rule.recipients),
        "created": times.offset(rule.created),
        "modified": times.offset(rule.modified),
    }
    relationships = {"created_by": {"data": {"type": "users", "id": org.owner.id}}}
    return {"type": _KIND, "id": rule.id, "attributes": attributes, "relationships": relationships}


def _read_rule(body: Json, *, rule_id: str = "") -> Json:
    """What a rule is to be. A recipient is written as in a monitor's message, without its `@`."""
    names = {"type": checks.one_of(_KIND), "attributes": _RULE} | ({"id": checks.filled} if rule_id else {})
    checks.record({"data": checks.record(names)})(body, "")
    if rule_id and body["data"]["id"] != rule_id:
        raise bad_request("the id of the body is not that of the path")
    asked = body["data"]["attributes"]
    if "filter" not in asked or "recipients" not in asked:
        raise bad_request("a rule needs a filter and recipients")
    if any(recipient.startswith("@") for recipient in asked["recipients"]):
        raise bad_request("recipients must not start with an '@'")
    if any(not re.fullmatch(r"[^:\s]+:\S+", tag) for tag in asked["filter"]["tags"]):
        raise bad_request("tags must be key:value pairs")
    return asked


def create_rule(call: Call) -> Answer:
    asked = _read_rule(call.body)
    tags, recipients = tuple(asked["filter"]["tags"]), tuple(asked["recipients"])
    rule = FakeRule(call.world.new_id(), asked["name"], tags, recipients, call.now, call.now)
    call.org.rules[rule.id] = rule
    call.world.happened("rule", call.org, rule)
    return Answer({"data": _describe_rule(call.org, rule)})


def update_rule(call: Call) -> Answer:
    rule = _rule(call)
    asked = _read_rule(call.body, rule_id=rule.id)
    rule.name, rule.tags, rule.recipients = asked["name"], tuple(asked["filter"]["tags"]), tuple(asked["recipients"])
    rule.modified = call.now
    return Answer({"data": _describe_rule(call.org, rule)})


def get_rule(call: Call) -> Answer:
    return Answer({"data": _describe_rule(call.org, _rule(call))})


def list_rules(call: Call) -> Answer:
    size = checks.number_param(call.query, "per_page", 100, least=1, most=_MOST_RULES)
    start = checks.number_param(call.query, "page", 0, least=0) * size
    wanted = checks.parse(call.query.get("filters", "{}").encode())
    checks.record({}, {name: checks.many(checks.text) for name in ("tags", "recipients")} | {"text": checks.text})(
        wanted, "filters"
    )
    found = [rule for rule in call.org.rules.values() if _wanted(rule, wanted)]
    return Answer({"data": [_describe_rule(call.org, rule) for rule in found[start : start + size]]})


def _wanted(rule: FakeRule, filters: Json) -> bool:
    text = " ".join((rule.name, *rule.tags, *rule.recipients)).lower()
    return (
        filters.get("text", "").lower() in text
        and ("tags" not in filters or bool({*filters["tags"]} & {*rule.tags}))
        and ("recipients" not in filters or bool({*filters["recipients"]} & {*rule.recipients}))
    )


def delete_rule(call: Call) -> Answer:
    del call.org.rules[_rule(call).id]
    return Answer(status=204)


_MANAGE, _READ, _WRITE = ("manage_integrations",), ("monitors_read",), ("monitor_config_policy_write",)
_BUCKET = "notification_rule"
ROUTES = (
    Route("POST", _WEBHOOKS, create_webhook, _MANAGE, "webhooks", body=True),
    Route("GET", _WEBHOOKS + "/{name}", get_webhook, _MANAGE, "webhooks"),
    Route("PUT", _WEBHOOKS + "/{name}", update_webhook, _MANAGE, "webhooks", body=True),
    Route("DELETE", _WEBHOOKS + "/{name}", delete_webhook, _MANAGE, "webhooks"),
    Route("POST", _VARIABLES, create_variable, _MANAGE, "webhooks", body=True),
    Route("GET", _VARIABLES + "/{name}", get_variable, _MANAGE, "webhooks"),
    Route("PUT", _VARIABLES + "/{name}", update_variable, _MANAGE, "webhooks", body=True),
    Route("DELETE", _VARIABLES + "/{name}", delete_variable, _MANAGE, "webhooks"),
    Route("POST", _RULES, create_rule, _WRITE, _BUCKET, body=True),
    Route("GET", _RULES, list_rules, _READ, _BUCKET, ("page", "per_page", "sort", "filters", "include")),
    Route("GET", _RULES + "/{rule_id}", get_rule, _READ, _BUCKET, ("include",)),
    Route("PATCH", _RULES + "/{rule_id}", update_rule, _WRITE, _BUCKET, body=True),
    Route("DELETE", _RULES + "/{rule_id}", delete_rule, _WRITE, _BUCKET),
)
