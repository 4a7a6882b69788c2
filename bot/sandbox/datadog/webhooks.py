"""Datadog's webhook: a template filled from an alert and sent with the documented retry rule."""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aiohttp

from bot.sandbox.datadog.alerts import FakeAlert
from bot.sandbox.datadog.answers import Json
from bot.sandbox.datadog.case_model import FakeCase
from bot.sandbox.datadog.org import FakeOrg

TEMPLATE: dict[str, Json] = {
    "v": 1,
    "monitor_id": "$ALERT_ID",
    "event_id": "$ID",
    "event_ts_ms": "$DATE",
    "transition": "$ALERT_TRANSITION",
    "cycle": "$ALERT_CYCLE_KEY",
    "aggr": "$AGGREG_KEY",
    "priority": "$ALERT_PRIORITY",
    "title": "$EVENT_TITLE",
    "scope": "$ALERT_SCOPE",
    "tags": "$TAGS",
    "type": "$EVENT_TYPE",
    "link": "$LINK",
    "snapshot": "$SNAPSHOT",
    "org_id": "$ORG_ID",
    "hostname": "$HOSTNAME",
    "text": "$TEXT_ONLY_MSG",
}
AT_ONCE = (0.0,) * 5
_TIMEOUT = 15.0
_VARIABLE = re.compile(r"\$([A-Z][A-Z0-9_]*[A-Z0-9])(?:\[([^\]]*)\])?")
_EMPTY = ("EMAIL", "USER", "USERNAME", "SNAPSHOT", "LOGS_SAMPLE", "INCIDENT_TITLE", "SECURITY_SIGNAL_ID")
_ALERT_TYPES = {"error": "error", "warn": "warning", "ok": "success"}


@dataclass(frozen=True, slots=True)
class Delivery:
    """The status of each attempt; None where the connection was lost."""

    attempts: tuple[int | None, ...]

    @property
    def accepted(self) -> bool:
        return bool(self.attempts) and self.attempts[-1] is not None and self.attempts[-1] < 300


def variables(alert: FakeAlert, org: FakeOrg) -> dict[str, str]:
    """What `$NAME` stands for. A `[TEST]` notification has no event of its own."""
    monitor = alert.monitor
    host = next((tag.partition(":")[2] for tag in alert.tags if tag.startswith("host:")), "")
    return dict.fromkeys(_EMPTY, "") | {
        "ALERT_ID": str(monitor.id),
        "ID": "" if alert.test else alert.event_id,
        "DATE": str(alert.event_ts),
        "DATE_POSIX": str(alert.event_ts // 1000),
        "LAST_UPDATED": str(alert.event_ts),
        "ALERT_TRANSITION": alert.webhook_word,
        "ALERT_TYPE": _ALERT_TYPES[alert.status],
        "ALERT_CYCLE_KEY": alert.cycle_key,
        "AGGREG_KEY": alert.aggregation_key,
        "ALERT_PRIORITY": f"P{monitor.priority}" if monitor.priority else "",
        "PRIORITY": "normal",
        "ALERT_TITLE": alert.title,
        "EVENT_TITLE": alert.title,
        "ALERT_STATUS": alert.condition,
        "ALERT_QUERY": monitor.query,
        "ALERT_METRIC": "system.disk.in_use",
        "METRIC_NAMESPACE": "system",
        "ALERT_SCOPE": alert.group,
        "EVENT_MSG": f"%%%\n{alert.text}\n%%%",
        "TEXT_ONLY_MSG": alert.text,
        "EVENT_TYPE": alert.event_type,
        "LINK": f"{org.app_url}/event/jump_to?event_id={alert.event_id}",
        "TAGS": ", ".join(alert.tags),
        "HOSTNAME": host,
        "ORG_ID": str(org.id),
        "ORG_NAME": org.name,
    }


def fill(template: str, known: Mapping[str, str], tags: Sequence[str], *, as_json: bool) -> str:
    """Puts the values in; in JSON they are escaped. A name that is not known stays as it is."""

    def value(match: re.Match[str]) -> str:
        name, key = match.groups()
        if name not in known:
            return match.group()
        found = known[name]
        if key is not None:
            found = next((tag.partition(":")[2] for tag in tags if tag.startswith(f"{key}:")), "")
        return json.dumps(found)[1:-1] if as_json else found

    return _VARIABLE.sub(value, template)


async def notify(alert: FakeAlert, org: FakeOrg, waits: Sequence[float]) -> list[Delivery]:
    """To each webhook that a rule names for it, or its monitor's own message."""
    named = [name for rule in org.rules.values() if {*rule.tags} <= {*alert.tags} for name in rule.recipients]
    named += [word[1:] for word in alert.monitor.message.split() if word.startswith("@")]
    custom = {each.name: each.value for each in org.variables.values()}
    return [
        await deliver(
            alert,
            org,
            webhook.url,
            headers=json.loads(webhook.custom_headers or "{}"),
            template=webhook.payload or TEMPLATE,
            custom=custom,
            waits=waits,
            as_form=webhook.encode_as == "form",
        )
        for webhook in org.webhooks.values()
        if f"webhook-{webhook.name}" in named
    ]


async def notify_of_case(case: FakeCase, trigger: str, org: FakeOrg, waits: Sequence[float]) -> list[Delivery]:
    """To each webhook that a rule of the case's project names for what happened. Which variables a payload may hold is
    documented nowhere, so none is filled but the custom ones."""
    rules = [rule for rule in org.case_management.rules.values() if rule.project is case.project]
    named = {name for rule in rules if rule.hears(trigger) for name in rule.webhooks}
    custom = {each.name: each.value for each in org.variables.values()}
    return [
        await _send(
            webhook.url,
            headers=json.loads(webhook.custom_headers or "{}"),
            template=webhook.payload or "{}",
            known=custom,
            tags=(),
            waits=waits,
            as_form=webhook.encode_as == "form",
        )
        for webhook in org.webhooks.values()
        if webhook.name in named
    ]


async def deliver(
    alert: FakeAlert,
    org: FakeOrg,
    url: str,
    *,
    headers: Mapping[str, str],
    template: str | Mapping[str, Json],
    custom: Mapping[str, str],
    waits: Sequence[float],
    as_form: bool,
) -> Delivery:
    known = {**variables(alert, org), **custom}
    text = template if isinstance(template, str) else json.dumps(template)
    return await _send(url, headers=headers, template=text, known=known, tags=alert.tags, waits=waits, as_form=as_form)


async def _send(
    url: str,
    *,
    headers: Mapping[str, str],
    template: str,
    known: Mapping[str, str],
    tags: Sequence[str],
    waits: Sequence[float],
    as_form: bool,
) -> Delivery:
    body = fill(template, known, tags, as_json=True)
    sent = {name: fill(value, known, tags, as_json=False) for name, value in headers.items()}
    attempts: list[int | None] = []
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT), headers=sent) as session:
        for wait in (None, *waits):
            if wait is not None:
                await asyncio.sleep(wait)
            attempts.append(await _attempt(session, fill(url, known, tags, as_json=False), body, as_form=as_form))
            if attempts[-1] is not None and attempts[-1] < 500:
                break
    return Delivery(tuple(attempts))


async def _attempt(session: aiohttp.ClientSession, url: str, body: str, *, as_form: bool) -> int | None:
    try:
        if as_form:
            fields = {name: str(value) for name, value in json.loads(body).items()}
            request = session.post(url, data=fields, allow_redirects=False)
        else:
            kind = {"Content-Type": "application/json"}
            request = session.post(url, data=body.encode(), headers=kind, allow_redirects=False)
        async with request as response:
            return response.status
    except (aiohttp.ClientError, TimeoutError):
        return None
