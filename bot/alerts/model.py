"""One notice of Datadog, the cycle from trouble to recovery it belongs to, and what a cycle comes to.

Plain data and pure functions: in whatever order notices arrive, the outcome is the same.
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, NamedTuple

from bot.model import AlertRef, MonitorRef, first, owner_tags
from bot.rules.model import AlertFacts

MOST_MOMENTS = 60

_TAG = re.compile(r"[\w./-]+:[\w./:@-]+", re.ASCII)  # what can stand in a downtime's scope as it is


class Transition(StrEnum):
    """What happened to the monitor; the values are those that channel rules name."""

    ALERT = "alert"
    WARN = "warn"
    NO_DATA = "no data"
    RENOTIFY = "renotify"
    RECOVERED = "recovered"
    OTHER = "other"  # a word we don't know; shown as Datadog wrote it

    @classmethod
    def _missing_(cls, _value: object) -> "Transition":
        """Of a newer version; `notices.py` knows Datadog's words."""
        return cls.OTHER


_WORST_FIRST = (Transition.ALERT, Transition.NO_DATA, Transition.WARN, Transition.OTHER, Transition.RENOTIFY)


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
    message: str = ""  # the monitor's own words and what Datadog adds to them

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
    def event(self) -> AlertRef:
        """What an investigation of it would be about."""
        told = AlertRef(self.monitor_id, self.event_id, self.event_ts, self.name, self.group)
        return replace(told, priority=self.priority, tags=owner_tags(self.tags), snapshot=self.snapshot)

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
    moments: tuple[Annotated[Moment, first(3)], ...] = ()  # in their order


@dataclass(frozen=True, slots=True)
class Mute:
    until: float = 0.0  # Unix seconds; 0 while it is not muted
    by: str = ""
    downtime_id: str = ""
    undone_by: str = ""  # who took the last one back
    place: str = ""  # the workspace in which it was muted, or unmuted; nobody knows their id elsewhere


@dataclass(frozen=True, slots=True)
class Taken:
    """Somebody is on it."""

    by: str = ""
    at: float = 0.0
    place: str = ""


@dataclass(frozen=True, slots=True)
class KnownCycle:
    """A cycle as it stands in the database."""

    id: int
    ref: str
    org: str
    cycle: Cycle
    mute: Mute = Mute()
    taken: Taken = Taken()

    @property
    def scope(self) -> str:
        """Its group as a downtime's scope; `*` for the whole monitor, also where the group can't be written as one."""
        return scope_of((self.cycle.trouble or self.cycle.latest).group)


def scope_of(group: str) -> str:
    parts = [part.strip() for part in group.split(",") if part.strip()]
    sound = parts and all(_TAG.fullmatch(part) for part in parts)
    return " AND ".join(parts) if sound else "*"


@dataclass(frozen=True, slots=True)
class AlertStanding:
    """What a card has to say about a cycle. Times are Unix milliseconds."""

    state: Transition  # of the newest event; one that only repeats leaves the state as it was
    since: int | None  # when the trouble began; None when only its end is known
    recovered_at: int | None
    subject: AlertRef | MonitorRef | None  # what an investigation of it would be about

    @property
    def lasted(self) -> float | None:
        """Seconds from the first trouble to the recovery."""
        if self.since is None or self.recovered_at is None:
            return None
        return max(0.0, (self.recovered_at - self.since) / 1000)


def joined(cycle: Cycle | None, notice: Notice) -> Cycle:
    """The cycle with one more notice in it; one that was in it already changes nothing."""
    moment = Moment(notice.event_ts, notice.event_id, notice.transition)
    moments = _kept({*(cycle.moments if cycle else ()), moment})
    latest = notice if cycle is None or notice.order > cycle.latest.order else cycle.latest
    trouble = cycle.trouble if cycle else None
    if moment.is_trouble and (trouble is None or notice.order > trouble.order):
        trouble = notice
    return Cycle(latest, trouble, moments)


def _kept(moments: set[Moment]) -> tuple[Moment, ...]:
    """Of what only repeats, the first and the last tell enough: a monitor may renotify for weeks."""
    ordered = sorted(moments, key=lambda moment: moment.order)
    repeated = [moment for moment in ordered if moment.transition is Transition.RENOTIFY]
    dropped = set(repeated[1:-1])
    return tuple([moment for moment in ordered if moment not in dropped][-MOST_MOMENTS:])


def standing(cycle: Cycle) -> AlertStanding:
    trouble, recovered_at = _last_trouble(cycle.moments)
    return AlertStanding(
        state=_state(trouble) if recovered_at is None else Transition.RECOVERED,
        since=trouble[0].ts if trouble else None,
        recovered_at=recovered_at,
        subject=_subject(cycle, trouble),
    )


def _last_trouble(moments: tuple[Moment, ...]) -> tuple[list[Moment], int | None]:
    """The last run of events without a recovery between them, and when it ended."""
    trouble: list[Moment] = []
    ended: int | None = None
    for moment in moments:
        if not moment.is_trouble:
            ended = moment.ts if ended is None else ended  # told twice, it still ended the first time
            continue
        if ended is not None:
            trouble, ended = [], None
        trouble.append(moment)
    return trouble, ended


def _state(trouble: list[Moment]) -> Transition:
    telling = (moment.transition for moment in reversed(trouble) if moment.transition is not Transition.RENOTIFY)
    return next(telling, Transition.ALERT)


def _subject(cycle: Cycle, trouble: list[Moment]) -> AlertRef | MonitorRef | None:
    """The event that began the worst of it: it stays the same through repetitions, so nothing is investigated twice."""
    notice = cycle.trouble or cycle.latest
    if not notice.monitor_id or notice.test:
        return None
    known = [moment for moment in trouble if moment.event_id]
    if not known:
        return MonitorRef(notice.monitor_id, notice.name, notice.group)
    first = min(known, key=lambda moment: (_WORST_FIRST.index(moment.transition), moment.order))
    return replace(notice.event, event_id=first.event_id, event_ts=first.ts)
