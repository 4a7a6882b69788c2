"""Monitors: read one, mute and unmute it with a downtime, and whether Bits is known to investigate its type."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.datadog.client import Datadog
from bot.datadog.errors import Unreadable
from bot.datadog.shapes import JsonObject, member, segment, text, texts, whole

READ = "monitors_read"
MUTE = "monitors_downtime"
_DOWNTIME_PATH = "/api/v2/downtime"

_INVESTIGATED = frozenset(
    {
        "composite",
        "log alert",
        "metric alert",
        "query alert",
        "rum alert",
        "service check",
        "slo alert",
        "synthetics alert",
    }
)
_NOT_INVESTIGATED = frozenset(
    {
        "audit alert",
        "ci-pipelines alert",
        "ci-tests alert",
        "cost alert",
        "data-jobs alert",
        "data-quality alert",
        "database-monitoring alert",
        "error-tracking alert",
        "event alert",
        "event-v2 alert",
        "llm-observability alert",
        "network-path alert",
        "network-performance alert",
        "process alert",
        "trace-analytics alert",
    }
)


def bits_supports(monitor_type: str) -> bool | None:
    """Whether Bits is documented to investigate this type; None for a type we don't know.

    Only ever a warning: the documented list grows, and Datadog itself refuses what it can't do.
    """
    word = monitor_type.strip().lower()
    if word in _INVESTIGATED:
        return True
    return False if word in _NOT_INVESTIGATED else None


@dataclass(frozen=True, slots=True)
class Monitor:
    id: int
    name: str
    type: str
    query: str = ""
    message: str = ""
    tags: tuple[str, ...] = ()
    priority: int | None = None  # 1 to 5
    overall_state: str = ""
    groups: Mapping[str, str] = field(default_factory=dict)  # those in trouble, with their state


class Monitors:
    def __init__(self, client: Datadog) -> None:
        self._client = client

    async def get(self, monitor_id: int) -> Monitor:
        params = {"group_states": "alert,warn,no data"}
        answer = await self._client.call("GET", f"/api/v1/monitor/{monitor_id}", params=params, permission=READ)
        return _monitor(answer, monitor_id)

    async def mute(self, monitor_id: int, *, until: datetime | None = None, scope: str = "*", message: str = "") -> str:
        """Silence a monitor now, until a time or until it is unmuted; the answer is what to unmute."""
        attributes: JsonObject = {
            "scope": scope,
            "monitor_identifier": {"monitor_id": monitor_id},
            "schedule": {"start": None, "end": None if until is None else _utc(until)},
            "mute_first_recovery_notification": True,
        }
        if message:
            attributes["message"] = message
        body = {"data": {"type": "downtime", "attributes": attributes}}
        answer = await self._client.call("POST", _DOWNTIME_PATH, json=body, permission=MUTE)
        downtime_id = text(answer, "data", "id")
        if not downtime_id:
            raise Unreadable("Datadog muted a monitor without naming the downtime", method="POST", path=_DOWNTIME_PATH)
        return downtime_id

    async def unmute(self, downtime_id: str) -> None:
        await self._client.call("DELETE", f"{_DOWNTIME_PATH}/{segment(downtime_id)}", permission=MUTE)


def _monitor(answer: JsonObject, monitor_id: int) -> Monitor:
    priority = whole(answer, "priority")
    return Monitor(
        id=whole(answer, "id") or monitor_id,
        name=text(answer, "name"),
        type=text(answer, "type"),
        query=text(answer, "query"),
        message=text(answer, "message"),
        tags=texts(answer, "tags"),
        priority=priority if priority in range(1, 6) else None,
        overall_state=text(answer, "overall_state"),
        groups=_groups(answer),
    )


def _groups(answer: JsonObject) -> dict[str, str]:
    groups = member(answer, "state", "groups")
    if not isinstance(groups, dict):
        return {}
    return {text(name): text(group, "status") for name, group in groups.items()}


def _utc(moment: datetime) -> str:
    """Datadog takes no offset but zero."""
    if moment.tzinfo is None:
        raise ValueError("The end of a downtime needs its time zone.")
    return moment.astimezone(UTC).isoformat(timespec="seconds")
