"""The record of who started what, where, by which rule, and what was refused. Written in the transaction it is about."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.investigations.tables import asks, investigations
from bot.model import AlertRef, Ask, EventRef, ExistingRun, MonitorRef, Question, Subject, ThreadRef
from bot.rules.tables import audit
from bot.storage.engine import Database


class Decision(StrEnum):
    LOOKING_UP = "looking_up"
    STARTED = "started"
    JOINED = "joined"
    REFUSED = "refused"
    OVER_BUDGET = "over_budget"
    COOLING_DOWN = "cooling_down"
    CONFIRMED = "confirmed"  # started over budget by somebody who may
    NOT_FOUND = "not_found"
    RETURNED = "returned"  # Datadog started nothing, so the unit was given back
    RULES_CHANGED = "rules_changed"


@dataclass(frozen=True, slots=True)
class Entry:
    key: str
    workspace: str
    channel: str
    person: str
    source: str
    decision: Decision
    rule: str = ""
    what: str = ""
    budget: str = ""
    thread_ts: str = ""
    investigation_id: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as it is shown."""

    at: float
    channel: str
    person: str
    source: str
    decision: Decision
    rule: str
    what: str
    budget: str
    ref: str


def entry_of(
    ask: Ask, decision: Decision, *, rule: str = "", budget: str = "", investigation_id: int | None = None
) -> Entry:
    place = ask.place
    return Entry(
        key=ask.key,
        workspace=place.workspace,
        channel=place.channel,
        person=ask.requester,
        source=ask.source,
        decision=decision,
        rule=rule,
        what=name_of(ask.subject),
        budget=budget,
        thread_ts=place.thread_ts,
        investigation_id=investigation_id,
    )


async def note(database: Database, connection: AsyncConnection, entry: Entry) -> None:
    """Once a key: what becomes of an ask later replaces what was written when it came."""
    values = {
        "key": entry.key[:255],
        "at": database.now,
        "workspace": entry.workspace,
        "channel": entry.channel,
        "thread_ts": entry.thread_ts,
        "person": entry.person,
        "source": entry.source,
        "decision": entry.decision,
        "rule": entry.rule[:160],
        "what": entry.what[:200],
        "budget": entry.budget[:160],
        "investigation_id": entry.investigation_id,
    }
    await connection.execute(database.upsert(audit, values, key=("key",)))


async def note_return(database: Database, connection: AsyncConnection, investigation_id: int) -> None:
    """What a start had cost was given back."""
    started = select(audit).where(audit.c.investigation_id == investigation_id).order_by(audit.c.id).limit(1)
    row = (await connection.execute(started)).first()
    if row is not None:
        entry = Entry(
            key=f"returned:{investigation_id}",
            workspace=row.workspace,
            channel=row.channel,
            person=row.person,
            source=row.source,
            decision=Decision.RETURNED,
            what=row.what,
            thread_ts=row.thread_ts,
            investigation_id=investigation_id,
        )
        await note(database, connection, entry)


async def note_not_found(connection: AsyncConnection, ask_id: int) -> None:
    """The alert an ask named could not be found, so nothing was started."""
    key = select(asks.c.key).where(asks.c.id == ask_id).scalar_subquery()
    await connection.execute(update(audit).where(audit.c.key == key).values(decision=Decision.NOT_FOUND))


async def rule_noted(connection: AsyncConnection, key: str) -> str:
    """By which rule an ask was let in when it came."""
    found = await connection.execute(select(audit.c.rule).where(audit.c.key == key[:255]))
    return str(found.scalar() or "")


def name_of(subject: Subject) -> str:
    match subject:
        case AlertRef() | MonitorRef():
            name = subject.monitor_name or f"monitor {subject.monitor_id}"
            return f"{name} on {subject.group}" if subject.group else name
        case EventRef(event_id):
            return f"event {event_id}"
        case Question():
            return "a question"  # people's words stay in the thread they were asked in
        case ExistingRun(run):
            return f"followed {run}"
        case ThreadRef():
            return "the thread's alert"


class AuditTrail:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def latest(self, workspace: str, *, channel: str = "", limit: int = 15) -> list[Line]:
        """Of one channel, or of the whole workspace; the newest first."""
        query = (
            select(audit, investigations.c.ref)
            .outerjoin(investigations, investigations.c.id == audit.c.investigation_id)
            .where(audit.c.workspace == workspace)
            .order_by(audit.c.at.desc(), audit.c.id.desc())
            .limit(limit)
        )
        if channel:
            query = query.where(audit.c.channel == channel)
        async with self._database.transaction() as connection:
            return [_line(row) for row in (await connection.execute(query)).all()]


def _line(row: Row[Any]) -> Line:
    return Line(
        at=row.at,
        channel=row.channel,
        person=row.person,
        source=row.source,
        decision=Decision(row.decision),
        rule=row.rule,
        what=row.what,
        budget=row.budget,
        ref=row.ref or "",
    )
