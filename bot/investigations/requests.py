"""Where every start arrives: button, shortcut, command, mention and modal, before they acknowledge.

What a person asks for is one row, written before Slack is told that we have it. The ask worker decides, and with the
start its cost and who did it are written down.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Row, Update, bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import meters
from bot.datadog.trouble import TroubleKind
from bot.investigations.model import Investigation, State
from bot.investigations.records import read_investigation
from bot.investigations.repository import InvestigationRepository, Started
from bot.investigations.tables import HELD_FOR, LOOK_UPS, RECEIVED, WAITING, asks, held_asks, investigations
from bot.logs import about, know
from bot.model import AlertRef, Ask, Question, Source, Startable, Subject, ThreadRef
from bot.orgs.model import NoOrg
from bot.orgs.questions import Resumable
from bot.rules.audit import Decision, Entry, entry_of, note, note_not_found
from bot.rules.budget import Budget, CoolingDown, OverBudget, Terms, Usage
from bot.rules.permissions import NotAllowed
from bot.storage.engine import wake
from bot.storage.inbox import Inbox
from bot.storage.leases import Fence, changes, fenced
from bot.storage.tables import at, known, place_of

REPEATED_WITHIN = 60.0  # seconds: the same words of the same person in the same place are the same ask
DECIDED_SOON = 0.5

logger = logging.getLogger(__name__)

Refusal = NotAllowed | OverBudget | CoolingDown | NoOrg

Begun = Callable[[AsyncConnection, Ask], Awaitable[None]]


class Reception(StrEnum):
    STARTED = "started"  # this ask began an investigation
    FOLLOWING = "following"  # one was there already; this thread now waits for it too
    ALREADY_HERE = "already_here"  # one was there already, in this very thread
    REPEATED = "repeated"  # the same gesture again: its first arrival is being dealt with
    REFUSED = "refused"  # nothing was started; `refusal` says why


@dataclass(frozen=True, slots=True)
class Outcome:
    reception: Reception
    investigation: Investigation | None = None
    refusal: Refusal | None = None
    ask_id: int = 0  # of what was refused for its cost, for whoever may start it anyway


@dataclass(frozen=True, slots=True)
class _Of:
    """The row of an ask, as long as it is ours to decide."""

    change: Update
    parameters: dict[str, Any]

    @property
    def id(self) -> int:
        return int(self.parameters["of_id"])


def _of_number(ask_id: int) -> _Of:
    return _Of(_ONE, {"of_id": ask_id})


_ONE = update(asks).where(asks.c.id == bindparam("of_id"))


class _NotOursError(Exception):
    """Undoes what was begun: the gesture was here before, or somebody else decides it now."""


class _TooMuchError(Exception):
    """Undoes what was begun and can't be paid for."""

    def __init__(self, refusal: OverBudget | CoolingDown) -> None:
        self.refusal = refusal


class Requests:
    def __init__(self, repository: InvestigationRepository, budget: Budget, inbox: Inbox) -> None:
        self._repository = repository
        self._database = repository.database
        self._budget = budget
        self._inbox = inbox
        self.on_begun: list[Begun] = []  # rooms that show what somebody has asked for

    async def receive(self, ask: Ask) -> bool:
        """Kept, so that Slack may be told that we have it; a worker decides. False for a gesture that arrives again."""
        number = await self._inbox.take(asks, _row(ask, RECEIVED), times=("created_at", "due_at"))
        if number is not None:
            know(ask=number, workspace=ask.place.workspace, channel=ask.place.channel, person=ask.requester)
            logger.info("an investigation is asked for: %s", ask.source)
        return number is not None

    async def ask(self, ask: Ask, terms: Terms) -> Outcome:
        """Decided at once, for what starts by itself and needs nothing looked up."""
        try:
            return await self._ask(ask, terms)
        except _NotOursError:
            return Outcome(Reception.REPEATED, await self.started_by(ask.key))

    async def _ask(self, ask: Ask, terms: Terms) -> Outcome:
        subject = ask.subject
        assert isinstance(subject, Startable)  # noqa: S101

        async def begin(connection: AsyncConnection) -> tuple[int, Outcome]:
            of = await self._written_down(connection, ask)
            return of.id, await self._begin(connection, ask, of, subject, terms)

        async def refuse(refusal: OverBudget | CoolingDown, connection: AsyncConnection) -> tuple[int, Outcome]:
            of = await self._written_down(connection, ask)
            return of.id, await self._too_much(connection, ask, of, None, refusal)

        try:
            ask_id, outcome = await self._database.together(begin)
        except _TooMuchError as error:
            ask_id, outcome = await self._database.together(partial(refuse, error.refusal))
        return _told(ask, ask_id, outcome)

    async def _written_down(self, connection: AsyncConnection, ask: Ask) -> _Of:
        now = self._database.now
        new = self._database.insert_new(asks).values(**_row(ask, "done"), created_at=now, due_at=now)
        row = (await connection.execute(new.returning(asks.c.id))).first()
        if row is None:
            raise _NotOursError
        return _of_number(row.id)

    async def started_by(self, key: str) -> Investigation | None:
        """What an earlier arrival of a gesture has led to."""
        query = select(investigations).join(asks, asks.c.investigation_id == investigations.c.id)
        row = await self._database.first(query.where(asks.c.key == key))
        return read_investigation(row) if row else None

    async def held(self, ask_id: int, workspace: str, person: str) -> Ask | None:
        """The ask that was held for its cost, if it still stands."""
        query = select(asks).join(held_asks, held_asks.c.ask_id == asks.c.id)
        row = await self._database.first(query.where(*self._holds(ask_id, workspace, person)))
        return read_ask(row) if row else None

    async def start_anyway(self, ask: Ask, ask_id: int, *, rule: str) -> Outcome | None:
        """What was held, now that somebody who may has said so; once. None when nothing is held any more."""
        terms = Terms(await self._budget.limits(ask.place), rule, confirmed=True)
        ours = self._holds(ask_id, ask.place.workspace, ask.requester)
        async with self._database.transaction() as connection:
            held = (await connection.execute(delete(held_asks).where(*ours).returning(held_asks))).first()
            if held is None:
                return None
            assert isinstance(held.subject, (AlertRef, Question))  # noqa: S101  nothing else costs
            of = _of_number(ask_id)
            outcome = await self._begin(connection, ask, of, held.subject, terms, after=held.after_run)
        return _told(ask, ask_id, outcome)

    def _holds(self, ask_id: int, workspace: str, person: str) -> tuple[ColumnElement[bool], ...]:
        table, since = held_asks.c, self._database.now - HELD_FOR
        return (table.ask_id == ask_id, table.workspace == workspace, table.person == person, table.held_at > since)

    async def _begin(
        self,
        connection: AsyncConnection,
        ask: Ask,
        of: _Of,
        subject: Startable,
        terms: Terms,
        *,
        after: int | None = None,
    ) -> Outcome:
        """Begin it and pay for it, or neither: raises what undoes it all."""
        ask = replace(ask, subject=subject)
        started = await self._repository.begin(connection, ask, subject, after=after)
        paid: Usage | OverBudget | CoolingDown | None = None  # where it runs already
        if started.is_new and not started.investigation.adopted:
            paid = await self._budget.charge(connection, ask, started.investigation.id, subject, terms)
        if isinstance(paid, Usage | OverBudget):
            usage = paid.usage if isinstance(paid, OverBudget) else paid
            meters.budget_used(usage.workspace, usage.limits.workspace)
        if isinstance(paid, OverBudget | CoolingDown):
            raise _TooMuchError(paid)
        await self._settle(connection, ask, of, state="done", investigation_id=started.investigation.id)
        await note(self._database, connection, _entry(ask, started, paid, terms))
        for heard in self.on_begun:
            await heard(connection, ask)
        if started.is_new:
            return Outcome(Reception.STARTED, started.investigation)
        return Outcome(Reception.FOLLOWING if started.new_thread else Reception.ALREADY_HERE, started.investigation)

    async def _too_much(
        self, connection: AsyncConnection, ask: Ask, of: _Of, after: int | None, refusal: OverBudget | CoolingDown
    ) -> Outcome:
        over = isinstance(refusal, OverBudget)
        decision = Decision.OVER_BUDGET if over else Decision.COOLING_DOWN
        budget = refusal.usage.words() if isinstance(refusal, OverBudget) else ""
        await self._settle(connection, ask, of, state="refused", problem=str(decision))
        if over and ask.requester:
            whose = {"ask_id": of.id, "workspace": ask.place.workspace, "person": ask.requester}
            what = {"subject": ask.subject, "after_run": after, "held_at": self._database.now}
            await connection.execute(held_asks.insert().values(**whose, **what))
        await note(self._database, connection, entry_of(ask, decision, budget=budget))
        return Outcome(Reception.REFUSED, refusal=refusal, ask_id=of.id if over else 0)

    async def _settle(self, connection: AsyncConnection, ask: Ask, of: _Of, **values: Any) -> None:
        """With what it turned out to be about, which may be started anyway."""
        known = {"subject": ask.subject, "org": ask.org, "owner": None}
        if not await changes(connection, of.change, of.parameters, values | known):
            raise _NotOursError

    # -- what becomes of an ask that was received: each is nothing when somebody else took it over meanwhile ----------

    async def look_up_first(self, fence: Fence, ask: Ask, rule: str) -> bool:
        async def wait(connection: AsyncConnection) -> bool:
            values = {"state": WAITING, "subject": ask.subject, "org": ask.org}
            held = await self._pass_on(connection, fence, values)
            if held:
                await note(self._database, connection, entry_of(ask, Decision.LOOKING_UP, rule=rule))
                wake(connection, LOOK_UPS)
            return held

        return await self._database.together(wait)

    async def found(self, fence: Fence, subject: Subject) -> None:
        """It is judged once more, by what was found."""

        async def judge(connection: AsyncConnection) -> None:
            if await self._pass_on(connection, fence, {"state": RECEIVED, "subject": subject, "problem": None}):
                wake(connection, asks)

        await self._database.together(judge)

    async def _pass_on(self, connection: AsyncConnection, fence: Fence, values: dict[str, Any]) -> bool:
        return await fence.write(connection, asks, **values, owner=None, due_at=self._database.now)

    async def decide(
        self, fence: Fence, ask: Ask, subject: Startable, terms: Terms, *, after_run: int | None = None
    ) -> Outcome | None:
        """What it is about is known. `after_run`: a new run of it; two people asking for that make one."""
        of = _Of(fenced(asks), fence.parameters)

        async def begin(connection: AsyncConnection) -> Outcome | None:
            if isinstance(subject, Question) and after_run is None:
                earlier = await self._asked_before(connection, ask, fence.id, subject)
                if isinstance(earlier, Investigation):
                    return await self._repeated(connection, ask, of, earlier)
                if earlier is not None:  # the one it repeats is being decided
                    await fence.put_off(self._database, connection, asks, DECIDED_SOON)
                    return None
            return await self._begin(connection, ask, of, subject, terms, after=after_run)

        try:
            outcome = await self._database.together(begin)
        except _TooMuchError as error:
            return await self._refuse_cost(ask, of, subject, after_run, error.refusal)
        except _NotOursError:
            return None
        return _told(ask, fence.id, outcome) if outcome else None

    async def _refuse_cost(
        self, ask: Ask, of: _Of, subject: Startable, after: int | None, refusal: OverBudget | CoolingDown
    ) -> Outcome | None:
        over = partial(self._too_much, ask=replace(ask, subject=subject), of=of, after=after, refusal=refusal)
        try:
            outcome = await self._database.together(over)
        except _NotOursError:
            return None
        return _told(ask, of.id, outcome)

    async def _asked_before(
        self, connection: AsyncConnection, ask: Ask, ask_id: int, question: Question
    ) -> Investigation | Row[Any] | None:
        """What the same person asked here in the same words a moment ago: Slack may have shown an error for it, and yet it
        was kept. Unlike an alert's, a question's window moves on, so that it would be another one."""
        table, since = asks.c, self._database.now - REPEATED_WITHIN
        query = select(asks).where(table.state.in_([RECEIVED, "done"]), table.due_at > since, table.created_at > since)
        theirs = query.where(at(asks, ask.place), table.requester == ask.requester).order_by(table.id)
        # locked, this one too: of two that are decided at once one sees what became of the other
        for row in (await connection.execute(theirs.with_for_update())).all():
            if row.id == ask_id or not _same_question(row.subject, question):
                continue
            if row.state == RECEIVED and row.id < ask_id:
                return row
            run = await self._run(connection, row.investigation_id)
            if run is not None and run.state is not State.FAILED:
                return run
        return None

    async def _run(self, connection: AsyncConnection, investigation_id: int | None) -> Investigation | None:
        query = select(investigations).where(investigations.c.id == investigation_id)
        row = (await connection.execute(query)).first()
        return read_investigation(row) if row else None

    async def _repeated(self, connection: AsyncConnection, ask: Ask, of: _Of, run: Investigation) -> Outcome:
        await self._settle(connection, ask, of, state="done", investigation_id=run.id)
        await note(self._database, connection, entry_of(ask, Decision.JOINED, investigation_id=run.id))
        return Outcome(Reception.ALREADY_HERE, run)

    async def refuse(self, fence: Fence, ask: Ask, refused: NotAllowed) -> Outcome | None:
        why = f"{refused.why}{f' ({refused.code})' if refused.code else ''}"

        async def end(connection: AsyncConnection) -> bool:
            held = await self._end(connection, fence, refused.why)
            if held:
                await note(self._database, connection, entry_of(ask, Decision.REFUSED, rule=why))
            return held

        if not await self._database.together(end):
            return None
        return _told(ask, fence.id, Outcome(Reception.REFUSED, refusal=refused))

    async def nothing_started(self, fence: Fence, problem: str) -> bool:
        async def end(connection: AsyncConnection) -> str | None:
            if not await self._end(connection, fence, problem):
                return None
            ask = (await connection.execute(select(asks.c.key, asks.c.source).where(asks.c.id == fence.id))).one()
            await note_not_found(connection, ask.key)
            return str(ask.source)

        source = await self._database.together(end)
        if source is None:
            return False
        meters.STARTS.add(source, problem)
        logger.info("investigation refused: %s", problem)
        return True

    async def _end(self, connection: AsyncConnection, fence: Fence, problem: str) -> bool:
        """The words of a message or a question are not needed any more."""
        return await fence.write(connection, asks, state="refused", problem=problem, subject=ThreadRef(), owner=None)


def _same_question(subject: Subject, question: Question) -> bool:
    """In the same words, with the same tags, about a window of the same length."""
    if not isinstance(subject, Question):
        return False
    lengths = {(each.end_ts or 0) - (each.start_ts or 0) for each in (subject, question)}
    same, other = ((each.text, each.tags, each.background) for each in (subject, question))
    return same == other and len(lengths) == 1


def _row(ask: Ask, state: str) -> dict[str, Any]:
    told = {name: getattr(ask, name) for name in ("key", "subject", "requester", "source", "org")}
    return {**told, **asdict(ask.place), "state": state, "attempt": 0}


def read_ask(row: Row[Any]) -> Ask:
    return Ask(row.key, row.subject, place_of(row), row.requester, known(Source, row.source), row.org)


def _told(ask: Ask, ask_id: int, outcome: Outcome) -> Outcome:
    """In the log and to the meters, once it is committed."""
    ref = outcome.investigation.ref if outcome.investigation else ""
    result = _why(outcome.refusal) if outcome.refusal is not None else str(outcome.reception)
    meters.STARTS.add(ask.source, result)
    with about(ref=ref, ask=ask_id, **asdict(ask.place), person=ask.requester, org=ask.org):
        if outcome.reception is Reception.REFUSED:
            logger.info("investigation refused: %s", result)
        else:
            is_new = outcome.reception is Reception.STARTED
            logger.info("investigation %s", "accepted" if is_new else "joined")
    return outcome


def _why(refusal: Refusal) -> str:
    match refusal:
        case OverBudget():
            return str(Decision.OVER_BUDGET)
        case CoolingDown():
            return str(Decision.COOLING_DOWN)
        case NotAllowed():
            return "not_allowed"
        case _:
            return TroubleKind.NO_ORG


def _entry(ask: Ask, started: Started, paid: Usage | None, terms: Terms) -> Entry:
    decision = Decision.CONFIRMED if terms.confirmed else Decision.STARTED
    return entry_of(
        ask,
        decision if started.is_new else Decision.JOINED,
        rule=terms.rule,
        budget=paid.words() if paid else "",
        investigation_id=started.investigation.id,
    )


# -- what a person asks for ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Investigate:
    subject: Subject
    source: Source = Source.COMMAND


INVESTIGATE = Resumable("investigate", Investigate)
