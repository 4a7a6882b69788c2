"""Monitors, the downtimes that mute them and the alert events they fire, with the links people find under Datadog's messages. No HTTP here."""

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

_EPOCH_OF_EVENT_IDS = 1_264_262_800  # seconds; event ids carry the milliseconds since then in their upper bits

TRANSITIONS = {
    "alert": ("Triggered", "Alert", "error"),
    "warning": ("Warn", "Warn", "warn"),
    "no data": ("No data", "No Data", "error"),
    "renotify": ("Renotify", "Alert", "error"),
    "alert recovery": ("Recovered", "OK", "ok"),
    "warning recovery": ("Recovered", "OK", "ok"),
    "no data recovery": ("Recovered", "OK", "ok"),
}

EVENT_TYPES = {
    "query alert": "query_alert_monitor",
    "metric alert": "query_alert_monitor",
    "log alert": "log_alert",
    "slo alert": "slo_alert",
    "composite": "composite_monitor",
    "synthetics alert": "synthetics_alert",
    "rum alert": "rum_alert",
    "service check": "service_check",
    "process alert": "process_alert",
    "event-v2 alert": "event_v2_alert",
    "trace-analytics alert": "trace_analytics_alert",
    "error-tracking alert": "error_tracking_alert",
}


@dataclass(slots=True)
class GroupState:
    status: str = "OK"
    last_triggered: int = 0  # Unix seconds
    last_resolved: int = 0
    last_nodata: int = 0
    cycle: str = ""


@dataclass(slots=True, eq=False)
class FakeMonitor:
    id: int
    name: str
    type: str
    query: str
    message: str
    tags: tuple[str, ...]
    priority: int | None
    org: str
    app_url: str
    created: float
    modified: float
    groups: dict[str, GroupState] = field(default_factory=dict)

    @property
    def overall_state(self) -> str:
        standing = {state.status for state in self.groups.values()}
        worst = ("Alert", "Warn", "No Data")
        return next((status for status in worst if status in standing), "OK")

    @property
    def link(self) -> str:
        return f"{self.app_url}/monitors/{self.id}"


@dataclass(slots=True, eq=False)
class FakeDowntime:
    id: str
    scope: str
    monitor_id: int | None
    monitor_tags: tuple[str, ...]
    start: float
    end: float | None
    created: float
    message: str = ""
    mute_first_recovery: bool = False
    notify_end_states: tuple[str, ...] = ("alert", "no data", "warn")
    notify_end_types: tuple[str, ...] = ("expired",)
    canceled: float | None = None

    def status(self, now: float) -> str:
        if self.canceled is not None:
            return "canceled"
        if self.end is not None and now >= self.end:
            return "ended"
        return "scheduled" if now < self.start else "active"


@dataclass(frozen=True, slots=True, eq=False)
class FakeAlert:
    """One monitor event, with both of its ids: the number Bits wants and the long one of the events API."""

    monitor: FakeMonitor
    event_id: str
    uid: str
    event_ts: int  # Unix milliseconds
    group: str
    transition: str
    source_state: str
    cycle_key: str
    value: str
    test: bool = False

    @property
    def word(self) -> str:
        """`Re-` when the same state is reported again."""
        word, state, _ = TRANSITIONS[self.transition]
        again = state == self.source_state and word not in {"Recovered", "Renotify"}
        return f"Re-{word}" if again else word

    @property
    def webhook_word(self) -> str:
        return self.word.replace("No data", "No Data")

    @property
    def state(self) -> str:
        return TRANSITIONS[self.transition][1]

    @property
    def status(self) -> str:
        return TRANSITIONS[self.transition][2]

    @property
    def recovery(self) -> bool:
        return self.transition.endswith("recovery")

    @property
    def title(self) -> str:
        """The title of the event, as the events API and the webhook have it."""
        mark = "[TEST] " if self.test else ""
        group = f" on {{{self.group}}}" if self.group else ""
        return f"{mark}[{self.word}{group}] {self.monitor.name}"

    @property
    def slack_title(self) -> str:
        """The title over Datadog's own message in Slack."""
        group = f" on {self.group}" if self.group else ""
        return f"{'[TEST] ' if self.test else ''}{self.word}: {self.monitor.name}{group}"

    @property
    def text(self) -> str:
        """The body without Markdown marks."""
        return f"{self.monitor.message}\n\n{self.condition}".strip()

    @property
    def condition(self) -> str:
        return f"The monitor's value was {self.value} when its query was last evaluated: {self.monitor.query}"

    @property
    def tags(self) -> list[str]:
        return ["monitor", *self.monitor.tags, *(part for part in self.group.split(",") if part)]

    @property
    def aggregation_key(self) -> str:
        return hashlib.sha256(f"{self.monitor.id}/{self.group}".encode()).hexdigest()[:32]

    @property
    def event_type(self) -> str:
        return EVENT_TYPES.get(self.monitor.type, "query_alert_monitor")

    def link(
        self,
        *,
        event_id: bool = True,
        window: bool = True,
        link_members: bool = True,
        link_ts: bool = True,
        group: bool = True,
        hash_form: bool = False,
        escaped: bool = False,
    ) -> str:
        """The title_link of Datadog's Slack message; the switches give the older forms and Slack's escaping."""
        span = [("from_ts", str(self.event_ts - 900_000)), ("to_ts", str(self.event_ts + 300_000))]
        members = span if window else []
        members += [("event_id", self.event_id)] if event_id else []
        if link_members:
            members += [("link_source", "monitor_notif"), ("link_monitor_id", str(self.monitor.id))]
            members += [("link_event_id", self.event_id)]
            members += [("link_event_ts", str(self.event_ts // 1000))] if link_ts else []
        members += [("group", self.group)] if group and self.group else []
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in members)
        joint = "#" if hash_form else "/"
        return f"{self.monitor.app_url}/monitors{joint}{self.monitor.id}?{query}".rstrip("?").replace(
            "&", "&amp;" if escaped else "&"
        )


def event_id_at(ts_ms: int, serial: int) -> str:
    """A 19-digit id that embeds its time, as the real ones do, and still fits 63 bits when that time is far off."""
    embedded = max(0, ts_ms - _EPOCH_OF_EVENT_IDS * 1000) << 24
    number = max(10**18, embedded) + serial * 7919
    return str(number if number < 2**63 else 10**18 + number % 10**18)


def uid_for(event_id: str, ts_ms: int) -> str:
    seed = hashlib.sha256(event_id.encode()).digest()
    body = base64.urlsafe_b64encode(seed + ts_ms.to_bytes(8, "big")).decode().rstrip("=")
    return f"AwAAAZ{body}"


def fire(
    monitor: FakeMonitor,
    group: str,
    transition: str,
    *,
    ts: float,
    serial: int,
    new_id: Callable[[], str],
    value: str = "97.3",
    test: bool = False,
) -> FakeAlert:
    """Moves the monitor's group on and returns the event about it."""
    if transition not in TRANSITIONS:
        raise ValueError(f"{transition!r} is no transition; known are {', '.join(TRANSITIONS)}")
    state = monitor.groups.setdefault(group, GroupState())
    source, cycle = state.status, state.cycle or str(int(new_id().replace("-", "")[:15], 16))
    ts_ms = round(ts * 1000)
    event_id = event_id_at(ts_ms, serial)
    alert = FakeAlert(monitor, event_id, uid_for(event_id, ts_ms), ts_ms, group, transition, source, cycle, value, test)
    if not test:
        _move(state, alert, int(ts))
        monitor.modified = ts
    return alert


def _move(state: GroupState, alert: FakeAlert, ts: int) -> None:
    state.status = alert.state
    state.cycle = "" if alert.recovery else alert.cycle_key
    if alert.recovery:
        state.last_resolved = ts
    elif alert.transition == "no data":
        state.last_nodata = ts
    else:
        state.last_triggered = ts


def group_states(groups: Sequence[str] | dict[str, str]) -> dict[str, GroupState]:
    standing = groups.items() if isinstance(groups, dict) else ((name, "OK") for name in groups)
    return {name: GroupState(status) for name, status in standing}


def state_json(name: str, state: GroupState) -> dict[str, Any]:
    return {
        "name": name or "*",
        "status": state.status,
        "last_triggered_ts": state.last_triggered,
        "last_resolved_ts": state.last_resolved,
        "last_nodata_ts": state.last_nodata,
        "last_notified_ts": max(state.last_triggered, state.last_resolved, state.last_nodata),
    }
