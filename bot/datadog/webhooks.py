"""What sends an organisation's alerts to an address, as it stands in Datadog: a webhook, a secret variable for its headers,
and a monitor notification rule that names the webhook. Read, put in place and removed by name; nothing here decides on names."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bot.datadog.client import Datadog, JsonObject, flag, objects, segment, text, texts
from bot.datadog.errors import NotFound, Unreadable

MANAGE = "manage_integrations"
WRITE_RULES = "monitor_config_policy_write"
READ_RULES = "monitors_read"
MOST_TAGS = 20
LONGEST_TAG = 200
_WEBHOOKS = "/api/v1/integration/webhooks/configuration/webhooks"
_VARIABLES = "/api/v1/integration/webhooks/configuration/custom-variables"
_RULES = "/api/v2/monitor/notification_rule"


@dataclass(frozen=True, slots=True)
class Webhook:
    name: str
    url: str
    payload: str
    headers: str  # a JSON object; a variable is written as $NAME

    @property
    def recipient(self) -> str:
        """How monitors and rules call it."""
        return f"webhook-{self.name}"


@dataclass(frozen=True, slots=True)
class NotificationRule:
    id: str
    tags: tuple[str, ...]  # a notification has to carry all of them
    recipients: tuple[str, ...]


class Webhooks:
    def __init__(self, client: Datadog) -> None:
        self._client = client

    # -- the webhook --------------------------------------------------------------------------------------------

    async def webhook(self, name: str) -> Webhook | None:
        found = await self._found(f"{_WEBHOOKS}/{segment(name)}", MANAGE)
        if found is None:
            return None
        return Webhook(name, text(found, "url"), text(found, "payload"), text(found, "custom_headers"))

    async def put_webhook(self, webhook: Webhook) -> None:
        members = {"url": webhook.url, "payload": webhook.payload, "custom_headers": webhook.headers}
        body: JsonObject = {"name": webhook.name, "encode_as": "json", **members}
        await self._put(_WEBHOOKS, webhook.name, body)

    async def remove_webhook(self, name: str) -> None:
        await self._remove(f"{_WEBHOOKS}/{segment(name)}", MANAGE)

    # -- its variable -------------------------------------------------------------------------------------------

    async def has_secret(self, name: str) -> bool:
        """Whether there is a variable of this name whose value Datadog shows to nobody."""
        return flag(await self._found(f"{_VARIABLES}/{segment(name)}", MANAGE), "is_secret")

    async def put_secret(self, name: str, value: str) -> None:
        await self._put(_VARIABLES, name, {"name": name, "value": value, "is_secret": True})

    async def remove_secret(self, name: str) -> None:
        await self._remove(f"{_VARIABLES}/{segment(name)}", MANAGE)

    # -- the rule -----------------------------------------------------------------------------------------------

    async def rules_to(self, recipient: str) -> list[NotificationRule]:
        """Those that send to it, whoever made them."""
        wanted: dict[str, str | int] = {"filters": json.dumps({"recipients": [recipient]}), "per_page": 1000}
        answer = await self._client.call("GET", _RULES, params=wanted, permission=READ_RULES)
        rules = [_rule(each) for each in objects(answer, "data")]
        return [rule for rule in rules if rule.id and recipient in rule.recipients]

    async def make_rule(self, name: str, tags: Sequence[str], recipient: str) -> str:
        answer = await self._client.call("POST", _RULES, json=_rule_body(name, tags, recipient), permission=WRITE_RULES)
        rule_id = text(answer, "data", "id")
        if not rule_id:
            raise Unreadable("Datadog made a notification rule without naming it")
        return rule_id

    async def change_rule(self, rule_id: str, name: str, tags: Sequence[str], recipient: str) -> None:
        body = _rule_body(name, tags, recipient)
        body["data"]["id"] = rule_id
        path = f"{_RULES}/{segment(rule_id)}"
        await self._client.call("PATCH", path, json=body, permission=WRITE_RULES, repeatable=True)

    async def remove_rule(self, rule_id: str) -> None:
        await self._remove(f"{_RULES}/{segment(rule_id)}", WRITE_RULES)

    # -- how --------------------------------------------------------------------------------------------------------

    async def _found(self, path: str, permission: str) -> JsonObject | None:
        try:
            return await self._client.call("GET", path, permission=permission)
        except NotFound:
            return None

    async def _put(self, path: str, name: str, body: JsonObject) -> None:
        """Looked for first: an update of what is not there, and a second creation, are refused in words that nobody documents."""
        one = f"{path}/{segment(name)}"
        if await self._found(one, MANAGE) is None:
            await self._client.call("POST", path, json=body, permission=MANAGE)
        else:
            await self._client.call("PUT", one, json=body, permission=MANAGE)

    async def _remove(self, path: str, permission: str) -> None:
        try:
            await self._client.call("DELETE", path, permission=permission)
        except NotFound:
            return


def _rule_body(name: str, tags: Sequence[str], recipient: str) -> JsonObject:
    attributes = {"name": name, "filter": {"tags": list(tags)}, "recipients": [recipient]}
    return {"data": {"type": "monitor-notification-rule", "attributes": attributes}}


def _rule(found: JsonObject) -> NotificationRule:
    return NotificationRule(
        text(found, "id"), texts(found, "attributes", "filter", "tags"), texts(found, "attributes", "recipients")
    )
