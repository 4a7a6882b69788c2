"""The words of alerts that Datadog reports: one notice, and the cycle from trouble to recovery it belongs to. Plain data."""

import re
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

from bot.rules.model import AlertFacts

_TAG = re.compile(r"[\w./-]+:[\w./:@-]+", re.ASCII)  # what can stand in a downtime's scope as it is


class Transition(StrEnum):
    """What happened to the monitor; the values are those that channel rules name."""

    ALERT = "alert"
    WARN = "warn"
    NO_DATA = "no data"
    RENOTIFY = "renotify"
    RECOVERED = "recovered"
    OTHER = "other"  # a word we don't know; shown as Datadog wrote it


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification of Datadog's webhook, as far as it could be read. All text is untrusted."""

    event_ts: int  # Unix milliseconds
    transition: Transition
    word: str = ""  # the transition in Datadog's own word
    monitor_id: int = 0  # 0 when Datadog does not say
    event_id: str = ""
    cycle: str = ""
    group_key: str = ""
    group: str = ""
    name: str = ""
    priority: int | None = None
    value: str = ""
    tags: tuple[str, ...] = ()
    snapshot: str = ""
    test: bool = False

    @property
    def order(self) -> tuple[int, int, bool]:
        """The order of events is that of Datadog's clock, never that of arrival."""
        return self.event_ts, int(self.event_id or 0), self.transition is Transition.RECOVERED

    @property
    def identity(self) -> str:
        """Of its cycle; without Datadog's cycle key, of the monitor's group, whose cycles are then counted."""
        series = [str(self.test), str(self.monitor_id), self.group_key]
        told = [*series, self.cycle] if self.cycle else [*series, "" if self.monitor_id else self.name]
        return sha256("\x1f".join([str(bool(self.cycle)), *told]).encode()).hexdigest()

    @property
    def facts(self) -> AlertFacts:
        """What channel rules look at. A transition we don't know goes by Datadog's own word."""
        other = self.transition is Transition.OTHER
        return AlertFacts(
            monitor_id=self.monitor_id,
            group=self.group,
            priority=self.priority,
            tags=frozenset({*self.tags, *(part for part in self.group.split(",") if ":" in part)}),
            transition=self.word.casefold() if other else str(self.transition),
        )


class Moment(NamedTuple):
    """One event of a cycle."""

    ts: int
    event_id: str
    transition: Transition

    @property
    def order(self) -> tuple[int, int, bool]:
        return self.ts, int(self.event_id or 0), self.transition is Transition.RECOVERED

    @property
    def is_trouble(self) -> bool:
        return self.transition is not Transition.RECOVERED


@dataclass(frozen=True, slots=True)
class Cycle:
    """All that is known of one alert of one group. The same notices make the same cycle in whatever order they came."""

    latest: Notice
    trouble: Notice | None = None  # the latest that was no recovery
    moments: tuple[Moment, ...] = ()  # in their order


@dataclass(frozen=True, slots=True)
class Mute:
    until: float = 0.0  # Unix seconds; 0 while it is not muted
    by: str = ""
    downtime_id: str = ""
    undone_by: str = ""  # who took the last one back


@dataclass(frozen=True, slots=True)
class KnownCycle:
    """A cycle as it stands in the database."""

    id: int
    ref: str
    org: str
    cycle: Cycle
    mute: Mute = Mute()

    @property
    def scope(self) -> str:
        """Its group as a downtime's scope; `*` for the whole monitor, also where the group can't be written as one."""
        return scope_of((self.cycle.trouble or self.cycle.latest).group)


def scope_of(group: str) -> str:
    parts = [part.strip() for part in group.split(",") if part.strip()]
    sound = parts and all(_TAG.fullmatch(part) for part in parts)
    return " AND ".join(parts) if sound else "*"
