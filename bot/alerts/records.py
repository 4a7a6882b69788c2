"""Between alerts and their rows: how notices, cycles and facts are written down and read back."""

from dataclasses import asdict
from hashlib import sha256
from typing import Any

from sqlalchemy import Row

from bot.alerts.model import Cycle, KnownCycle, Moment, Mute, Notice, Transition
from bot.rules.model import AlertFacts


def notice_record(notice: Notice) -> dict[str, Any]:
    return asdict(notice)


def read_notice_record(record: dict[str, Any]) -> Notice:
    told = {"transition": Transition(record["transition"]), "tags": tuple(record["tags"])}
    return Notice(**{**record, **told})


def cycle_record(cycle: Cycle) -> dict[str, Any]:
    moments = [[moment.ts, moment.event_id, moment.transition] for moment in cycle.moments]
    trouble = notice_record(cycle.trouble) if cycle.trouble else None
    return {"latest": notice_record(cycle.latest), "trouble": trouble, "moments": moments}


def read_cycle_record(record: dict[str, Any]) -> Cycle:
    return Cycle(
        latest=read_notice_record(record["latest"]),
        trouble=read_notice_record(record["trouble"]) if record["trouble"] else None,
        moments=tuple(Moment(ts, event_id, Transition(name)) for ts, event_id, name in record["moments"]),
    )


def read_known_cycle(row: Row[Any]) -> KnownCycle:
    mute = Mute(row.muted_until or 0.0, row.muted_by, row.downtime_id, row.unmuted_by)
    return KnownCycle(row.id, row.ref, row.org, read_cycle_record(row.content), mute)


def facts_of(notice: Notice) -> AlertFacts:
    """What channel rules look at. A transition we don't know goes by Datadog's own word."""
    other = notice.transition is Transition.OTHER
    return AlertFacts(
        monitor_id=notice.monitor_id,
        group=notice.group,
        priority=notice.priority,
        tags=frozenset({*notice.tags, *(part for part in notice.group.split(",") if ":" in part)}),
        transition=notice.word.casefold() if other else str(notice.transition),
    )


def facts_record(facts: AlertFacts) -> dict[str, Any]:
    return {**asdict(facts), "tags": sorted(facts.tags)}


def read_facts(record: dict[str, Any]) -> AlertFacts:
    return AlertFacts(**{**record, "tags": frozenset(record["tags"])})


def identity_of(notice: Notice) -> str:
    """The cycle a notice belongs to; without Datadog's cycle key, the monitor's group, whose cycles are then counted."""
    series = [str(notice.test), str(notice.monitor_id), notice.group_key]
    told = [*series, notice.cycle] if notice.cycle else [*series, "" if notice.monitor_id else notice.name]
    return sha256("\x1f".join([str(bool(notice.cycle)), *told]).encode()).hexdigest()
