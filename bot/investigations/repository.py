"""What is written down about investigations: who asked, what state each is in, and what every thread is still owed.

Each change that people can see bumps the version and makes the cards due in the same transaction.
"""

import logging
import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    String,
    Update,
    and_,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import meters
from bot.datadog.investigations import InvestigationDetail
from bot.datadog.trouble import Trouble, TroubleKind
from bot.investigations import statements
from bot.investigations.model import Investigation, State, Usual, Verdict, usual
from bot.investigations.records import asked_for_in, is_another, message_for, read_investigation, subject_key
from bot.investigations.tables import (
    CARD,
    CONCLUSIONS,
    EXPIRED,
    investigations,
    offer_key,
    poll_turns,
    subscribers,
)
from bot.logs import about
from bot.model import AlertRef, Ask, ExistingRun, Place, Startable
from bot.rules.audit import note_return
from bot.rules.budget import give_back
from bot.storage.engine import Database, wake
from bot.storage.leases import Fence, changes
from bot.storage.outbox import REFUSED, NewPost, enqueue, show_again, show_anew, take_over, try_refused_again
from bot.storage.remembered import Remembered
from bot.storage.tables import at, deliveries, of_place, place_of
from bot.storage.together import ReadTogether
from bot.storage.workers import Timing

logger = logging.getLogger(__name__)

ENDS = "a run ends"  # what `wake` is called with then
Concluded = Callable[[AsyncConnection, int], Awaitable[None]]  # of an investigation, in the same transaction
_REF_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # none that are read wrong on the phone at night


@dataclass(frozen=True, slots=True)
class Started:
    investigation: Investigation
    is_new: bool  # this ask began it
    new_thread: bool  # this ask's thread was not waiting for it yet


class InvestigationRepository:
    def __init__(self, database: Database, timing: Timing) -> None:
        self.database = database
        self._timing = timing
        self._took = Remembered(database, self._read_took, ENDS)
        self._rows = ReadTogether(self._read_rows)
        self.openers: list[str] = []  # kinds of message that tell how the investigations below them stand
        self.on_concluded: list[Concluded] = []  # rooms that do something when a thread gets its conclusions

    # -- asking -------------------------------------------------------------------------------------------------

    async def begin(self, connection: AsyncConnection, ask: Ask, subject: Startable, *, after: int | None) -> Started:
        """Insert or fetch the investigation and make the asking thread one of its subscribers."""
        row, is_new = await self._insert_or_fetch(connection, ask, subject, after)
        new_thread = await self._subscribe(connection, ask, row)
        return Started(read_investigation(row), is_new, new_thread)

    async def _insert_or_fetch(
        self, connection: AsyncConnection, ask: Ask, subject: Startable, after: int | None
    ) -> tuple[Row[Any], bool]:
        key = subject_key(subject)
        if isinstance(subject, ExistingRun) and (known := await self._by_datadog_id(connection, ask.org, subject)):
            return known, False
        run = await self._run_meant(connection, ask.org, key, subject, after)
        new = self.database.once(statements.new_investigation)
        values = self._first_values(ask, subject, key, run) | self.database.at_moment
        if isinstance(subject, ExistingRun):
            new = new.values(self._as_running())
        if row := (await connection.execute(new, values)).first():
            if row.adopted:
                await self._watch(connection, ask.org, look_in=0.0)  # it may have ended long ago
            else:
                wake(connection, investigations)
            return row, True
        table = investigations.c
        found = await connection.execute(
            select(investigations)
            .where(table.org == ask.org, table.subject_key == key, table.run == run)
            .with_for_update()  # it must not end, unseen by this thread, before this thread is written down
        )
        return found.one(), False

    async def _by_datadog_id(self, connection: AsyncConnection, org: str, subject: ExistingRun) -> Row[Any] | None:
        table = investigations.c
        found = await connection.execute(
            select(investigations)
            .where(table.org == org, table.datadog_id == subject.investigation_id)
            .order_by(table.id.desc())
            .limit(1)
            .with_for_update()
        )
        return found.first()

    async def _run_meant(
        self, connection: AsyncConnection, org: str, key: str, subject: Startable, after: int | None
    ) -> int:
        """Which run an ask is about: the one after the run it names, else the latest; a question asked again is new."""
        if after is not None:
            return after + 1
        latest = (await connection.execute(statements.LATEST_RUN, {"of_org": org, "of_key": key})).first()
        if latest is None:
            return 1
        means_another = is_another(subject, State(latest.state), latest.datadog_id, latest.failure)
        return int(latest.run) + 1 if means_another else int(latest.run)

    def _first_values(self, ask: Ask, subject: Startable, key: str, run: int) -> dict[str, Any]:
        adopted = isinstance(subject, ExistingRun)
        alert = subject.alert if isinstance(subject, ExistingRun) else subject
        return {
            "ref": "".join(secrets.choice(_REF_LETTERS) for _ in range(7)),
            "org": ask.org,
            "subject_key": key,
            "run": run,
            "subject": subject,
            "state": State.RUNNING if adopted else State.REQUESTED,
            "version": 1,
            "requested_by": ask.requester,
            "monitor_id": alert.monitor_id if isinstance(alert, AlertRef) else None,
            "datadog_id": subject.investigation_id if isinstance(subject, ExistingRun) else None,
            "adopted": adopted,
            "presumed": False,
        }

    def _as_running(self) -> dict[str, Any]:
        now = self.database.now
        return {"started_at": now, "deadline_at": now + self._timing.deadline}

    async def _subscribe(self, connection: AsyncConnection, ask: Ask, investigation: Row[Any]) -> bool:
        whose = {"investigation_id": investigation.id, "requester": ask.requester, "source": ask.source}
        values = {**asdict(ask.place), **whose, **self.database.at_moment}
        subscriber = (await connection.execute(self.database.once(statements.new_subscriber), values)).first()
        if subscriber is None:
            await try_refused_again(self.database, connection, investigation.id, (CARD, CONCLUSIONS), ask.place)
            return False
        card = message_for(CARD, subscriber, investigation.ref)
        if not await self._takes_over_offer(connection, ask, card):
            await enqueue(self.database, connection, card)
        # whoever asks only now still gets the finished answer as a reply of its own; without one the new card says it all
        if investigation.conclusions and State(investigation.state).finished:
            await enqueue(self.database, connection, message_for(CONCLUSIONS, subscriber, investigation.ref))
        if investigation.state == State.CONCLUDED:
            await self._tell_concluded(connection, investigation.id)
        return True

    async def _tell_concluded(self, connection: AsyncConnection, investigation_id: int) -> None:
        for heard in self.on_concluded:
            await heard(connection, investigation_id)

    async def _takes_over_offer(self, connection: AsyncConnection, ask: Ask, card: NewPost) -> bool:
        """Whether the card takes the place of the buttons under the alert: what stands in two messages is read twice."""
        subject = ask.subject.alert if isinstance(ask.subject, ExistingRun) else ask.subject
        if not isinstance(subject, AlertRef) or not ask.place.thread_ts:
            return False
        key = offer_key(ask.place)
        # it may be on its way this very moment: once it stands it says that nothing is offered any more
        if not await show_again(connection, key):
            return False
        shown = (await connection.execute(statements.SEEN, of_place(ask.place))).scalar()
        if shown is not None and shown.monitor_id != subject.monitor_id:
            return False  # of another alert, which is still to be offered
        return await take_over(self.database, connection, key, card)

    # -- reading ------------------------------------------------------------------------------------------------

    async def get(self, investigation_id: int) -> Investigation | None:
        """For who holds a row of ours that names it; a number from Slack goes through `get_in`."""
        row = await self._rows.get(investigation_id)
        return read_investigation(row) if row else None

    async def _read_rows(self, ids: Sequence[int]) -> dict[int, Row[Any]]:
        return {row.id: row for row in await self.database.all(statements.THESE, {"ids": ids})}

    async def get_in(self, workspace: str, investigation_id: int) -> Investigation | None:
        """Only if somebody of this workspace has asked for it: numbers in buttons come back from clients."""
        return await self._one(and_(investigations.c.id == investigation_id, asked_for_in(workspace)))

    async def refs(self, workspace: str, ids: Sequence[int]) -> dict[int, str]:
        """Our references to a workspace's investigations, by number."""
        query = select(investigations.c.id, investigations.c.ref).where(
            investigations.c.id.in_(ids), asked_for_in(workspace)
        )
        return {row.id: row.ref for row in await self.database.all(query)}

    async def _one(self, condition: ColumnElement[bool]) -> Investigation | None:
        query = select(investigations).where(condition).order_by(investigations.c.id.desc()).limit(1)
        row = await self.database.first(query)
        return read_investigation(row) if row else None

    async def usual(self, org: str, monitor_id: int | None) -> Usual | None:
        """How long the latest runs of this monitor took; where those are few, of the whole organisation."""
        took = await self._took.get(org)
        of_monitor = [seconds for monitor, seconds in took if monitor_id is not None and monitor == monitor_id]
        return usual(of_monitor) or usual([seconds for _, seconds in took])

    async def _read_took(self, org: str) -> list[tuple[int | None, float]]:
        latest = await self.database.all(statements.LATEST_CONCLUDED, {"of_org": org})
        rows = [row for row in latest if row.started_at and not row.adopted]
        return [(row.monitor_id, row.finished_at - row.started_at) for row in rows]

    async def awaited_in(self, investigation_id: int) -> list[Place]:
        """Where threads wait for it, the first who asked first."""
        return [place_of(row) for row in await self.database.all(statements.WHO_WAITS, {"of_id": investigation_id})]

    async def asker_in(self, workspace: str, investigation_id: int) -> str:
        """Who asked for it first in this workspace; empty where nobody did."""
        table = subscribers.c
        here = (table.investigation_id == investigation_id, table.workspace == workspace, table.requester != "")
        row = await self.database.first(select(table.requester).where(*here).order_by(table.id).limit(1))
        return str(row.requester) if row else ""

    async def latest_in_thread(self, workspace: str, channel: str, thread_ts: str) -> Investigation | None:
        """The investigation a thread asked for last."""
        here = at(subscribers, Place(workspace, channel, thread_ts))
        of = select(func.max(subscribers.c.investigation_id)).where(here)
        return await self._one(investigations.c.id == of.scalar_subquery())

    async def awaits(self, investigation_id: int, place: Place) -> bool:
        """Whether it was asked for in this thread, or its card opens it."""
        table, opener = subscribers.c, deliveries.c
        card = and_(opener.kind == CARD, opener.subject_id == investigation_id, opener.ts == place.thread_ts)
        opened = exists().where(card, opener.channel == place.channel, opener.workspace == place.workspace)
        asked = exists().where(table.investigation_id == investigation_id, at(subscribers, place))
        row = await self.database.first(select(or_(asked, opened).label("awaits")))
        return bool(place.thread_ts and row and row.awaits)

    async def is_asked_in(self, place: Place, monitor_id: int) -> bool:
        """Whether an alert of this monitor was asked about in this thread."""
        table = subscribers.c
        query = select(table.id).join(investigations, investigations.c.id == table.investigation_id)
        here = query.where(at(subscribers, place), investigations.c.monitor_id == monitor_id)
        return await self.database.first(here.limit(1)) is not None

    async def by_datadog_ids(self, workspace: str, org: str, ids: Iterable[str]) -> dict[str, Investigation]:
        """Of these runs, those that somebody in this workspace has asked for."""
        table = investigations.c
        query = select(investigations).where(table.org == org, table.datadog_id.in_(list(ids)), asked_for_in(workspace))
        found = [read_investigation(row) for row in await self.database.all(query.order_by(table.id))]
        return {each.datadog_id: each for each in found}

    async def _watch(self, connection: AsyncConnection, org: str, *, look_in: float) -> None:
        await connection.execute(self.database.once(statements.first_turn), {"org": org})
        wake(connection, poll_turns, after=look_in)

    # -- outcomes, each under the fence of whoever worked on it -------------------------------------------------

    async def triggering(
        self, fence: Fence, before: Iterable[str], learnt: AlertRef | None, *, lease: float, show: bool
    ) -> bool:
        """Written before the trigger leaves; False when somebody else has it now.

        `before` is what Datadog listed; `learnt` has what was not known of the monitor at the click; `show`: the cards have
        something to say that does not wait until it runs.
        """
        values: dict[str, Any] = {
            "state": State.TRIGGERING,
            "before_ids": sorted(before),
            "started_at": self.database.time_in(),
            "due_at": self.database.time_in(lease),
            "retry_at": None,
            "failure": None,
            "attempt": 0,  # counts the looks from here on, whoever makes them
        }
        if learnt is not None:
            values["subject"] = learnt
        if show:
            return await self._shown(fence, **values)
        return await self.database.together(partial(fence.write, table=investigations, **values))

    async def retry_later(self, fence: Fence, wait: float, why: Trouble, *, attempt: int) -> bool:
        """Nothing was started, and it is tried again."""
        told = {"retry_at": self.database.time_in(wait), "failure": replace(why, detail="")}
        values = {"state": State.REQUESTED, "attempt": attempt, **told}
        due = {"due_at": self.database.time_in(wait), "owner": None}
        return await self._shown(fence, wake_in=wait, **values, **due)

    async def _shown(self, fence: Fence, *, wake_in: float | None = None, **values: Any) -> bool:
        async def write(connection: AsyncConnection) -> bool:
            if wake_in is not None:
                wake(connection, investigations, after=wake_in)
            return await self._write(connection, statements.HELD, fence.parameters, values)

        return await self.database.together(write)

    async def _write(
        self, connection: AsyncConnection, change: Update, of: dict[str, Any], values: dict[str, Any]
    ) -> bool:
        """What people can see changes; False when what the change asks for does not hold any more."""
        if not await changes(connection, change, of, values):
            return False
        await show_anew(connection, CARD, of["of_id"], openers=self.openers)
        return True

    async def running(self, fence: Fence, org: str, datadog_id: str, *, presumed: bool = False) -> bool:
        values: dict[str, Any] = {
            "state": State.RUNNING,
            "datadog_id": datadog_id,
            "presumed": presumed,
            "started_at": self.database.time_in(),
            "deadline_at": self.database.time_in(self._timing.deadline),
            "finished_at": None,
            "retry_at": None,
            "owner": None,
        }

        async def write(connection: AsyncConnection) -> bool:
            if not await self._write(connection, statements.HELD, fence.parameters, values):
                return False
            await self._watch(connection, org, look_in=self._timing.poll_first)
            return True

        return await self.database.together(write)

    async def fail(self, fence: Fence, failure: Trouble) -> bool:
        """Datadog has certainly started nothing, so it costs nothing either."""
        values: dict[str, Any] = {
            "state": State.FAILED,
            "failure": failure,
            "finished_at": self.database.time_in(),
            "retry_at": None,
            "owner": None,
        }

        async def write(connection: AsyncConnection) -> bool:
            if not await self._write(connection, statements.HELD, fence.parameters, values):
                return False
            if await give_back(connection, fence.id):
                await note_return(self.database, connection, fence.id)
            return True

        held = await self.database.together(write)
        if held:
            _ended(State.FAILED, failure.kind)
        return held

    async def uncertain(self, fence: Fence, *, look_in: float | None = None, until: float | None = None) -> bool:
        """Nobody knows whether it was started. `until` is how long its run is looked for, and `look_in` when next."""
        ended = {"state": State.UNCERTAIN, "finished_at": self.database.time_in(), "retry_at": None, "owner": None}
        due = {} if look_in is None else {"due_at": self.database.time_in(look_in)}
        held = await self._shown(fence, wake_in=look_in, **ended, deadline_at=until, **due)
        if held:
            _ended(State.UNCERTAIN)
        return held

    # -- the end of a run, seen by whoever had the watch --------------------------------------------------------

    async def conclude(self, investigation_id: int, verdict: Verdict, detail: InvestigationDetail) -> bool:
        failed = verdict is Verdict.FAILED
        return await self._finish(
            investigation_id,
            state=State.FAILED if failed else State.CONCLUDED,
            verdict=verdict,
            failure=Trouble(TroubleKind.BITS_FAILED) if failed else None,
            title=detail.title,
            status=detail.status[:64],
            url=detail.url,
            conclusions=detail.conclusions,
        )

    async def expire(self, investigation_id: int) -> bool:
        return await self._finish(investigation_id, state=State.EXPIRED)

    async def follow_failed(self, investigation_id: int, failure: Trouble) -> bool:
        return await self._finish(investigation_id, state=State.FAILED, failure=failure)

    async def org_left(self, org: str) -> None:
        """Nobody can follow its runs any more: the threads that wait for them are told."""
        query = select(investigations.c.id).where(investigations.c.org == org, investigations.c.state == State.RUNNING)
        for (investigation_id,) in await self.database.all(query):
            await self.follow_failed(investigation_id, Trouble(TroubleKind.NO_ORG))

    async def _finish(self, investigation_id: int, **values: Any) -> bool:
        async with self.database.transaction() as connection:
            of = {"of_id": investigation_id}
            if not await self._write(
                connection, statements.RUNNING, of, values | {"finished_at": self.database.time_in()}
            ):
                return False
            wake(connection, ENDS)
            threads = (await connection.execute(statements.WHO_WAITS_WITH_REF, of)).all()
            for subscriber in threads:
                if not values.get("conclusions") and not subscriber.requester:
                    continue  # nobody waits there, and the card says it all
                await enqueue(self.database, connection, message_for(CONCLUSIONS, subscriber, subscriber.ref))
            if values["state"] is State.CONCLUDED:
                await self._tell_concluded(connection, investigation_id)
        if threads:
            first = threads[0]
            told = {name: getattr(first, name) for name in ("ref", "org", "workspace", "channel")}
            with about(**told, person=first.requester):
                _ended(values["state"], str(values.get("verdict") or getattr(values.get("failure"), "kind", "")))
        return True

    async def keep_waiting(self, workspace: str, investigation_id: int) -> bool:
        """Watch an investigation again that was still running when we stopped looking; False for another workspace's."""
        expired = statements.OF_ONE.where(investigations.c.state == State.EXPIRED, asked_for_in(workspace))
        deadline = self.database.time_in(self._timing.deadline)
        async with self.database.transaction() as connection:
            values: dict[str, Any] = {"state": State.RUNNING, "deadline_at": deadline, "finished_at": None}
            if not await self._write(connection, expired, {"of_id": investigation_id}, values):
                return False
            wake(connection, poll_turns)
            await self._forget_conclusions(connection, investigation_id)
        return True

    async def _forget_conclusions(self, connection: AsyncConnection, investigation_id: int) -> None:
        """The reply that said "still running" stays where it is, or is not sent any more; the answer is owed anew."""
        table = deliveries.c
        said = and_(table.subject_id == investigation_id, table.kind == CONCLUSIONS)
        unsent = and_(said, table.ts.is_(None))
        await connection.execute(update(deliveries).where(unsent).values(state=REFUSED))
        await connection.execute(
            update(deliveries).where(said).values(key=literal(f"{EXPIRED}:") + cast(table.id, String), kind=EXPIRED)
        )

    async def card_in_lane(self, lane: str) -> str:
        """The message with the card that goes before what else goes out in this lane; empty while none stands."""
        table = deliveries.c
        stands = (table.lane == lane, table.kind == CARD, table.ts.is_not(None), table.state != REFUSED)
        row = await self.database.first(select(table.ts).where(*stands).limit(1))
        return str(row.ts) if row else ""

    async def card_of(self, investigation_id: int, workspace: str) -> list[tuple[str, str, str | None]]:
        """Where this investigation's cards stand in a workspace, the first asked first."""
        table = deliveries.c
        query = (
            select(table.channel, table.thread_ts, table.ts)
            .where(table.subject_id == investigation_id, table.workspace == workspace, table.kind == CARD)
            .order_by(table.id)
        )
        return [(row.channel, row.thread_ts, row.ts) for row in await self.database.all(query)]


def _ended(state: State, why: str = "") -> None:
    """In the log and to the meters, once it is committed."""
    meters.ENDED.add(state)
    logger.info("investigation ended: %s%s", state, f" ({why})" if why else "")
