"""What can be broken, each as a switch: on by the sandbox's own faults, off again alone, without touching the others."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from bot.sandbox.datadog import FakeDatadog, Fault
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.faults import MethodFault

JSON = dict[str, Any]
Where = Literal["datadog", "slack"]

A_FEW = 3
UNTIL_MENDED = 1_000_000
RETRY_AFTER = 3
SLOW_SECONDS = 2.0
GARBAGE = '{"data": [{"id": "7c1f", "attributes": '


@dataclass(frozen=True, slots=True)
class Broken:
    """A fault that is on: how often it still strikes (None: until it is mended), and how to mend it."""

    remaining: Callable[[], int | None]
    mend: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Switch:
    id: str
    name: str
    where: Where
    turn_on: Callable[[FakeSlack, FakeDatadog], Broken]


def _datadog(times: int, **how: Any) -> Callable[[FakeSlack, FakeDatadog], Broken]:
    def turn_on(_slack: FakeSlack, datadog: FakeDatadog) -> Broken:
        fault: Fault = datadog.break_next("*", "*", times=times, **how)

        def mend() -> None:
            fault.times = len(fault.hits)
            fault.release()

        return Broken(lambda: _left(times, len(fault.hits)), mend)

    return turn_on


def _slack(times: int, **how: Any) -> Callable[[FakeSlack, FakeDatadog], Broken]:
    def turn_on(slack: FakeSlack, _datadog: FakeDatadog) -> Broken:
        fault: MethodFault = slack.break_next("*", times=times, **how)

        def mend() -> None:
            fault.times = fault.used

        return Broken(lambda: _left(times, fault.used), mend)

    return turn_on


def _left(times: int, used: int) -> int | None:
    return None if times == UNTIL_MENDED else times - used


def _revoked_key(_slack: FakeSlack, datadog: FakeDatadog) -> Broken:
    org = datadog.org
    before = org.app_key
    org.app_key = "revoked"

    def mend() -> None:
        org.app_key = before

    return Broken(lambda: None, mend)


def _missing_permission(_slack: FakeSlack, datadog: FakeDatadog) -> Broken:
    datadog.revoke("cases_write")
    return Broken(lambda: None, lambda: datadog.grant("cases_write"))


def _slack_down(slack: FakeSlack, _datadog: FakeDatadog) -> Broken:
    fault = slack.break_next("*", times=UNTIL_MENDED, status=503)
    slack.refuse_connections()
    slack.cut_connections()

    def mend() -> None:
        fault.times = fault.used
        slack.sockets.refused = False

    return Broken(lambda: None, mend)


SWITCHES = (
    Switch(
        "datadog_429",
        f"Too many requests (429, Retry-After {RETRY_AFTER} s)",
        "datadog",
        _datadog(A_FEW, status=429, headers={"Retry-After": str(RETRY_AFTER), "X-RateLimit-Reset": str(RETRY_AFTER)}),
    ),
    Switch("datadog_5xx", "Server errors (503)", "datadog", _datadog(UNTIL_MENDED, status=503)),
    Switch(
        "datadog_slow", f"Slow: {SLOW_SECONDS:g} s an answer", "datadog", _datadog(UNTIL_MENDED, delay=SLOW_SECONDS)
    ),
    Switch("datadog_garbage", "Answers that are no JSON", "datadog", _datadog(UNTIL_MENDED, body=GARBAGE)),
    Switch("datadog_key", "The application key is revoked", "datadog", _revoked_key),
    Switch("datadog_scope", "The key may not write cases", "datadog", _missing_permission),
    Switch("slack_down", "Slack is down", "slack", _slack_down),
    Switch(
        "slack_429",
        f"Too many requests (429, Retry-After {RETRY_AFTER} s)",
        "slack",
        _slack(A_FEW, retry_after=RETRY_AFTER),
    ),
    Switch("slack_5xx", "Server errors (503)", "slack", _slack(A_FEW, status=503)),
    Switch("slack_slow", "Slow: 1 s an answer", "slack", _slack(UNTIL_MENDED, delay=1.0)),
)


class FaultBoard:
    """Which switches are on. One that struck as often as it was to is off by itself."""

    def __init__(self, slack: FakeSlack, datadog: FakeDatadog) -> None:
        self._slack = slack
        self._datadog = datadog
        self._on: dict[str, Broken] = {}

    def turn(self, switch_id: str, *, on: bool) -> bool:
        """False when there is no such switch."""
        switch = next((one for one in SWITCHES if one.id == switch_id), None)
        if switch is None:
            return False
        broken = self._on.pop(switch_id, None)
        if broken is not None:
            broken.mend()
        if on:
            self._on[switch_id] = switch.turn_on(self._slack, self._datadog)
        return True

    def is_on(self, switch_id: str) -> bool:
        broken = self._on.get(switch_id)
        return broken is not None and broken.remaining() != 0

    def mend_all(self) -> None:
        for switch_id in list(self._on):
            self.turn(switch_id, on=False)

    def section(self) -> list[JSON]:
        return [
            {
                "id": switch.id,
                "name": switch.name,
                "where": switch.where,
                "active": self.is_on(switch.id),
                "remaining": self._on[switch.id].remaining() if self.is_on(switch.id) else None,
            }
            for switch in SWITCHES
        ]
