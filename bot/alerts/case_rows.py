"""Alerts of which a channel's rule makes a case: written down with the alert, and what became of each. Calls nobody."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Row, Update, and_, bindparam, cast, exists, literal, or_, select, update
from sqlalchemy import String as Text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.alerts.model import KnownCycle
from bot.alerts.repository import thread_key
from bot.alerts.tables import ALERT_CARD, RULE_CASE, alert_cases
from bot.cases.actions import ENDED
from bot.cases.model import CaseRequest
from bot.cases.requests import FINAL, CaseRequests
from bot.cases.tables import case_acts, case_orders
from bot.datadog.trouble import Trouble
from bot.investigations.model import State
from bot.investigations.tables import investigations, subscribers
from bot.model import Place, Source
from bot.rules.audit import Decision, Entry, note
from bot.storage.engine import Database, wake
from bot.storage.leases import Fence
from bot.storage.outbox import NewPost, enqueue, shown_in
from bot.storage.retention import DAY
from bot.storage.tables import deliveries, literally, newly_due

MOST_A_DAY = 5  # for one monitor in one channel: one that flaps makes no hundred cases
_RUNS_READ = 20


class RuleState(StrEnum):
    WAITING = "waiting"
    ORDERED = "ordered"  # the case is being made
    WATCHING = "watching"  # the case is there; the alert's recovery is awaited
    CLOSING = "closing"
    DONE = "done"


class Told(StrEnum):
    """What a thread is told, each once; stands in the message's key."""

    MADE = "made"
    NOT_MADE = "not_made"
    CLOSED = "closed"
    NOT_CLOSED = "not_closed"


class RuleOutcome(StrEnum):
    """Why a row is done."""

    NONE = ""
    OFF = "off"
    RECOVERED = "recovered"  # too soon for a case; if it triggers again, it counts anew
    BY_HAND = "by_hand"  # somebody has made one
    FAILED = "failed"
    UNCERTAIN = "uncertain"  # nobody knows whether it was made
    NO_PROJECT = "no_project"
    UNKNOWN_PROJECT = "unknown_project"
    FULL = "full"  # the day's bound
    KEPT = "kept"  # nothing is to be closed, or somebody has touched it
    SECURITY = "security"
    UNKNOWN = "unknown"
    CLOSED = "closed"
    OTHER = "other"  # of a newer version

    @classmethod
    def _missing_(cls, _value: object) -> "RuleOutcome":
        return cls.OTHER


_DECISIONS = {
    Told.MADE: Decision.CASE_CREATED,
    Told.NOT_MADE: Decision.CASE_NOT_CREATED,
    Told.CLOSED: Decision.CASE_CLOSED,
    Told.NOT_CLOSED: Decision.CASE_NOT_CLOSED,
}


@dataclass(frozen=True, slots=True)
class Claimed:
    """One row with its alert, and whoever works on it."""

    row: Row[Any]
    known: KnownCycle
    fence: Fence
    at: float  # when it was claimed, by the database's clock
    rule: str  # in words
    place: Place  # the thread under the channel's card


def closing_key(order_id: int) -> str:
    """One closing for one case, whichever of the channels that show its alert wants it first."""
    return f"close-by-rule:{order_id}"


def due() -> ColumnElement[bool]:
    table = alert_cases.c
    stands = exists().where(shown_in(ALERT_CARD, table.cycle_id, table), deliveries.c.ts.is_not(None))
    made = exists().where(case_orders.c.id == table.order_id, case_orders.c.state.in_(FINAL), case_orders.c.told)
    closed = exists().where(case_acts.c.key == literal("close-by-rule:") + cast(table.order_id, Text), ENDED)
    ripe = (
        and_(table.state == RuleState.WAITING, table.roused, stands),
        and_(table.state == RuleState.ORDERED, made),
        and_(table.state == RuleState.WATCHING, table.roused),
        and_(table.state == RuleState.CLOSING, closed),
    )
    return and_(~literally(table.state, RuleState.DONE), or_(*ripe))


@dataclass(frozen=True, slots=True)
class RuleCases:
    database: Database
    requests: CaseRequests

    # -- in the transactions of others ---------------------------------------------------------------------------

    async def want(self, connection: AsyncConnection, known: KnownCycle, workspace: str, channel: str) -> None:
        """The channel's rule means this alert; whether and when there is a case is for the worker to say."""
        of = {"cycle_id": known.id, "workspace": workspace, "channel": channel}
        again = {"state": RuleState.WAITING, "roused": True, "outcome": RuleOutcome.NONE}
        values = {**of, **again, "org": known.org, "thread_ts": "", "monitor_id": known.cycle.latest.monitor_id}
        values |= {"may_close": False, "rule": "", **newly_due(self.database.now)}
        new = self.database.insert_new(alert_cases).values(values).returning(alert_cases.c.id)
        if (await connection.execute(new)).first() is None:
            same = and_(*(alert_cases.c[name] == value for name, value in of.items()))
            ended = and_(same, alert_cases.c.outcome.in_([RuleOutcome.RECOVERED, RuleOutcome.OFF]))
            await connection.execute(update(alert_cases).where(ended).values(**again, due_at=self.database.now))
        wake(connection, alert_cases)

    async def recovered(self, connection: AsyncConnection, cycle_id: int) -> None:
        table = alert_cases.c
        watched = and_(table.cycle_id == cycle_id, ~literally(table.state, RuleState.DONE))
        await self._rouse(connection, update(alert_cases).where(watched).values(roused=True))

    async def concluded(self, connection: AsyncConnection, investigation_id: int) -> None:
        """Of every alert in whose thread it was awaited."""
        await self._rouse(connection, _awaiting(), {"of_id": investigation_id})

    async def _rouse(
        self, connection: AsyncConnection, which: Update, parameters: dict[str, Any] | None = None
    ) -> None:
        """Also what somebody works on this moment: whoever goes to sleep says so first and then looks."""
        if (await connection.execute(which, parameters)).rowcount:
            wake(connection, alert_cases)

    # -- the worker's ---------------------------------------------------------------------------------------------

    async def concluded_run(self, connection: AsyncConnection, claimed: Claimed) -> int:
        """The latest investigation with conclusions in the threads under this alert's cards; 0 for none."""
        card, run = deliveries.c, investigations.c
        here = and_(card.kind == ALERT_CARD, card.subject_id == claimed.known.id)
        awaited = select(subscribers.c.investigation_id).join(deliveries, _in_its_thread())
        ids = awaited.where(here, card.workspace == claimed.row.workspace)
        query = select(run.id, run.state, run.conclusions).where(run.id.in_(ids)).order_by(run.id.desc())
        found = (await connection.execute(query.limit(_RUNS_READ))).all()
        return next((row.id for row in found if row.state == State.CONCLUDED and _has_conclusions(row)), 0)

    async def lead(self, cycle_id: int) -> int | None:
        """The request for the case of this alert, whichever channel's rule has ordered it."""
        row = await self.database.first(select(alert_cases.c.order_id).where(alert_cases.c.made_for == cycle_id))
        return row.order_id if row else None

    async def join(self, claimed: Claimed, order_id: int, *, may_close: bool) -> None:
        """Another channel's rule makes the case of this alert: it is shown here, too."""
        values = {**_ordered(claimed, order_id), "may_close": may_close}
        async with self.database.transaction() as connection:
            await self._write(connection, claimed, **values)

    async def order(self, claimed: Claimed, request: CaseRequest, *, may_close: bool) -> bool:
        """The case is being made from here on; False where the day's bound for its monitor is reached.

        Raises IntegrityError where another orders at the same moment.
        """
        async with self.database.transaction() as connection:
            slot = await self._free_slot(connection, claimed, _numbered("made"))
            if slot is None:
                return False
            mine = {"made_for": claimed.known.id, "slot": slot, "may_close": may_close}
            if await self._write(connection, claimed, **_ordered(claimed, request.id), **mine):
                await self.requests.submit_in(connection, request)
        return True

    async def end_full(self, claimed: Claimed) -> None:
        """The first one in a day says so. Raises IntegrityError where another has just done that."""
        await self._end_without(claimed, RuleOutcome.FULL, ("full",))

    async def end_unmade(self, claimed: Claimed, outcome: RuleOutcome, problem: Trouble | None = None) -> None:
        """Nothing could be ordered; said as often in a day as a case could be made, and raises like that."""
        await self._end_without(claimed, outcome, _numbered("unmade"), problem=problem)

    async def _end_without(self, claimed: Claimed, outcome: RuleOutcome, names: Sequence[str], **values: Any) -> None:
        async with self.database.transaction() as connection:
            slot = await self._free_slot(connection, claimed, names)
            await self._end(connection, claimed, outcome, Told.NOT_MADE if slot else None, slot=slot, **values)

    async def _free_slot(self, connection: AsyncConnection, claimed: Claimed, names: Sequence[str]) -> str | None:
        slots = [self._slot(claimed, name) for name in names]
        taken = await connection.execute(select(alert_cases.c.slot).where(alert_cases.c.slot.in_(slots)))
        used = set(taken.scalars())
        return next((slot for slot in slots if slot not in used), None)

    def _slot(self, claimed: Claimed, name: str) -> str:
        row = claimed.row
        return f"{row.workspace}:{row.channel}:{row.monitor_id}:{int(claimed.at // DAY)}:{name}"

    async def made(self, connection: AsyncConnection, claimed: Claimed, case_row: int, what: str) -> bool:
        """The case is there, and the thread hears of it. Roused, for the alert may have recovered since."""
        watching = {"state": RuleState.WATCHING, "roused": True, "case_row": case_row}
        held = await self._write(connection, claimed, **watching)
        if held:
            await self._tell(connection, claimed, Told.MADE, what)
        return held

    async def sleep(self, connection: AsyncConnection, claimed: Claimed) -> bool:
        """Until it is roused. What it waits for has to be looked at after this, in the same transaction."""
        return await claimed.fence.write(connection, alert_cases, roused=False)

    async def stay_awake(self, connection: AsyncConnection, claimed: Claimed) -> bool:
        return await claimed.fence.write(connection, alert_cases, roused=True)

    async def let_go(self, connection: AsyncConnection, claimed: Claimed, **values: Any) -> bool:
        return await self._write(connection, claimed, **values)

    async def end(
        self,
        claimed: Claimed,
        outcome: RuleOutcome,
        tell: Told | None = None,
        problem: Trouble | None = None,
        what: str = "",
    ) -> None:
        async with self.database.transaction() as connection:
            await self._end(connection, claimed, outcome, tell, what, problem=problem)

    async def _end(
        self,
        connection: AsyncConnection,
        claimed: Claimed,
        outcome: RuleOutcome,
        tell: Told | None,
        what: str = "",
        **values: Any,
    ) -> None:
        held = await self._write(connection, claimed, state=RuleState.DONE, outcome=outcome, **values)
        if held and tell is not None:
            await self._tell(connection, claimed, tell, what)

    async def _write(self, connection: AsyncConnection, claimed: Claimed, **values: Any) -> bool:
        free = {"owner": None, "attempt": 0, "due_at": self.database.now}
        wake(connection, alert_cases)
        return await claimed.fence.write(connection, alert_cases, **{**free, **values})

    async def _tell(self, connection: AsyncConnection, claimed: Claimed, told: Told, what: str) -> None:
        """In the thread and in the audit."""
        row, known = claimed.row, claimed.known
        post = NewPost(
            key=f"{RULE_CASE}:{row.id}:{told}",
            kind=RULE_CASE,
            thread_key=thread_key(known, row.channel),
            subject_id=row.id,
            workspace=row.workspace,
            channel=row.channel,
        )
        await enqueue(self.database, connection, post)
        subject = known.cycle.trouble or known.cycle.latest
        name = subject.name or f"monitor {row.monitor_id}"
        entry = Entry(
            key=f"case-rule:{row.id}:{told}",
            workspace=row.workspace,
            channel=row.channel,
            person="",
            source=Source.AUTOMATIC,
            decision=_DECISIONS[told],
            rule=f"cases of {claimed.rule}" if claimed.rule else "cases of alerts",
            what=f"{what} {name}".strip(),
            thread_ts=claimed.place.thread_ts,
        )
        await note(self.database, connection, entry)


@cache
def _awaiting() -> Update:
    table, card = alert_cases.c, deliveries.c
    # by the threads, which are few, and not by the kind, of which there are many
    is_card = card.kind + "" == ALERT_CARD
    cycles = select(card.subject_id).join(subscribers, and_(_in_its_thread(), is_card))
    awaited = table.cycle_id.in_(cycles.where(subscribers.c.investigation_id == bindparam("of_id")))
    return update(alert_cases).where(awaited, table.state + "" == RuleState.WAITING).values(roused=True)


def _in_its_thread() -> ColumnElement[bool]:
    """An investigation is awaited in the thread that this message opens."""
    card, thread = deliveries.c, subscribers.c
    return and_(card.workspace == thread.workspace, card.channel == thread.channel, card.ts == thread.thread_ts)


def _has_conclusions(row: Any) -> bool:
    return isinstance(row.conclusions, tuple) and bool(row.conclusions)


def _numbered(what: str) -> list[str]:
    return [f"{what}-{number}" for number in range(MOST_A_DAY)]


def _ordered(claimed: Claimed, order_id: int) -> dict[str, Any]:
    told = {"thread_ts": claimed.place.thread_ts, "rule": claimed.rule[:160]}
    return {"state": RuleState.ORDERED, "order_id": order_id, **told}
