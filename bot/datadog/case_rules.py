"""What tells of changes to cases, as it stands in Datadog: notification rules, which each belong to a project. Which one is
ours is known by the webhook it names: rules have no names."""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.datadog.cases import READ, WRITE
from bot.datadog.client import Datadog, JsonObject, flag, objects, segment, text
from bot.datadog.errors import BadRequest, NotFound

# Which data a trigger on attributes needs is documented nowhere: where it is refused, a rule on the status is better than none.
_TRIGGERS = (("STATUS_TRANSITIONED", "ATTRIBUTE_VALUE_CHANGED"), ("STATUS_TRANSITIONED",))


@dataclass(frozen=True, slots=True)
class CaseRule:
    id: str
    webhooks: tuple[str, ...]
    others: int  # how many recipients it has besides
    triggers: tuple[str, ...]
    enabled: bool

    @property
    def works(self) -> bool:
        return self.enabled and _TRIGGERS[-1][0] in self.triggers


class CaseRules:
    def __init__(self, client: Datadog) -> None:
        self._client = client

    async def to(self, project_id: str, webhook: str) -> list[CaseRule]:
        """A project's rules that send to this webhook and to nobody else: one that people changed is theirs."""
        answer = await self._client.call("GET", _path(project_id), permission=READ)
        rules = [_rule(each) for each in objects(answer, "data")]
        return [rule for rule in rules if rule.id and rule.webhooks == (webhook,) and not rule.others]

    async def make(self, project_id: str, webhook: str) -> None:
        await self._offer("POST", _path(project_id), webhook)

    async def mend(self, project_id: str, rule_id: str, webhook: str) -> None:
        await self._offer("PUT", f"{_path(project_id)}/{segment(rule_id)}", webhook)

    async def remove(self, project_id: str, rule_id: str) -> None:
        try:
            await self._client.call("DELETE", f"{_path(project_id)}/{segment(rule_id)}", permission=WRITE)
        except NotFound:
            return

    async def _offer(self, method: str, path: str, webhook: str) -> None:
        *wider, least = _TRIGGERS
        for triggers in wider:
            try:
                await self._client.call(method, path, json=_body(webhook, triggers), permission=WRITE)
            except BadRequest:
                continue
            return
        await self._client.call(method, path, json=_body(webhook, least), permission=WRITE)


def _path(project_id: str) -> str:
    return f"/api/v2/cases/projects/{segment(project_id)}/notification_rules"


def _body(webhook: str, triggers: tuple[str, ...]) -> JsonObject:
    attributes = {
        "is_enabled": True,
        "recipients": [{"type": "HTTP", "data": {"name": webhook}}],
        "triggers": [{"type": each, "data": {}} for each in triggers],
    }
    return {"data": {"type": "notification_rule", "attributes": attributes}}


def _rule(found: JsonObject) -> CaseRule:
    told = found.get("attributes")
    recipients = list(objects(told, "recipients"))
    webhooks = tuple(_webhooks(recipients))
    triggers = tuple(text(each, "type") for each in objects(told, "triggers"))
    return CaseRule(text(found, "id"), webhooks, len(recipients) - len(webhooks), triggers, flag(told, "is_enabled"))


def _webhooks(recipients: list[JsonObject]) -> Iterator[str]:
    return (name for each in recipients if text(each, "type") == "HTTP" and (name := text(each, "data", "name")))
