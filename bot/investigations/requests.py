"""Where every start arrives: button, shortcut, command, mention and modal, before they acknowledge.

An ask is in the database when `Requests` returns, and so is what it costs and who did it; then the person is answered.
"""

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.datadog.trouble import Trouble
from bot.investigations import answers
from bot.investigations.model import Investigation
from bot.investigations.repository import InvestigationRepository, Started, read_investigation
from bot.investigations.tables import HELD_FOR, asks, held_asks, investigations
from bot.model import AlertRef, Ask, ExistingRun, Place, Question, Source, Startable, Subject, ThreadRef
from bot.orgs.model import NoOrg, Undecided
from bot.orgs.questions import Resumable, org_words
from bot.rules import no_start
from bot.rules.audit import Decision, Entry, entry_of, note, note_not_found, rule_noted
from bot.rules.budget import Budget, CoolingDown, OverBudget, Terms, Usage
from bot.rules.org_choice import WhichOrg, host_of
from bot.rules.permissions import Allowed, NotAllowed, Permissions
from bot.rules.repository import RuleRepository
from bot.slack.blocks import Message
from bot.slack.interactions import Interaction
from bot.slack.listeners import After
from bot.slack.replies import Replies
from bot.storage.engine import wake
from bot.storage.leases import Fence

Refusal = NotAllowed | OverBudget | CoolingDown | NoOrg


class Reception(StrEnum):
    STARTED = "started"  # this ask began an investigation
    FOLLOWING = "following"  # one was there already; this thread now waits for it too
    ALREADY_HERE = "already_here"  # one was there already, in this very thread
    LOOKING_UP = "looking_up"  # the alert is being looked for; the card follows
    REPEATED = "repeated"  # the same gesture again: its first arrival is being dealt with
    REFUSED = "refused"  # nothing was started; `refusal` says why


@dataclass(frozen=True, slots=True)
class Outcome:
    reception: Reception
    investigation: Investigation | None = None
    refusal: Refusal | None = None
    ask_id: int = 0  # of what was refused for its cost, for whoever may start it anyway


class Requests:
    def __init__(self, repository: InvestigationRepository, budget: Budget) -> None:
        self._repository = repository
        self._database = repository.database
        self._budget = budget

    async def ask(self, ask: Ask, terms: Terms, *, after_run: int | None = None) -> Outcome:
        """`after_run`: a new run of something that was investigated before; two people asking for it make one."""
        async with self._database.transaction() as connection:
            row = await self._write_down(connection, ask)
            if row is None:
                query = select(investigations).join(asks, asks.c.investigation_id == investigations.c.id)
                known = (await connection.execute(query.where(asks.c.key == ask.key))).first()
                return Outcome(Reception.REPEATED, read_investigation(known) if known else None)
            if isinstance(ask.subject, Startable):
                return await self._begin(connection, ask, row.id, ask.subject, terms, after=after_run)
            await note(self._database, connection, entry_of(ask, Decision.LOOKING_UP, rule=terms.rule))
            wake(connection, asks)
        return Outcome(Reception.LOOKING_UP)

    async def refuse(self, ask: Ask, refused: NotAllowed) -> Outcome:
        """Somebody who may not start has asked; nothing of it is kept but the audit."""
        why = f"{refused.why}{f' ({refused.code})' if refused.code else ''}"
        async with self._database.transaction() as connection:
            await note(self._database, connection, entry_of(ask, Decision.REFUSED, rule=why))
        return Outcome(Reception.REFUSED, refusal=refused)

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
            return await self._begin(connection, ask, ask_id, held.subject, terms, after=held.after_run)

    def _holds(self, ask_id: int, workspace: str, person: str) -> tuple[ColumnElement[bool], ...]:
        table, since = held_asks.c, self._database.now - HELD_FOR
        return (table.ask_id == ask_id, table.workspace == workspace, table.person == person, table.held_at > since)

    async def _write_down(self, connection: AsyncConnection, ask: Ask) -> Row[Any] | None:
        now = self._database.now
        inserted = await connection.execute(
            self._database.insert_new(asks)
            .values(
                **asdict(ask.place),
                key=ask.key,
                org=ask.org,
                requester=ask.requester,
                source=ask.source,
                subject=ask.subject,
                state="waiting",
                created_at=now,
                due_at=now,
                attempt=0,
            )
            .returning(*asks.c)
        )
        return inserted.first()

    async def _begin(
        self,
        connection: AsyncConnection,
        ask: Ask,
        ask_id: int,
        subject: Startable,
        terms: Terms,
        *,
        after: int | None = None,
    ) -> Outcome:
        """Begin it and pay for it, or neither."""
        attempt, ask = await connection.begin_nested(), replace(ask, subject=subject)
        started = await self._repository.begin(connection, ask, subject, after=after)
        paid: Usage | OverBudget | CoolingDown | None = None  # where it runs already
        if started.is_new and not started.investigation.adopted:
            paid = await self._budget.charge(connection, ask, started.investigation.id, subject, terms)
        if isinstance(paid, OverBudget | CoolingDown):
            await attempt.rollback()
            return await self._too_much(connection, ask, ask_id, after, paid)
        await attempt.commit()
        done = {"state": "done", "problem": None, "investigation_id": started.investigation.id}
        await connection.execute(update(asks).where(asks.c.id == ask_id).values(**done))
        await note(self._database, connection, _entry(ask, started, paid, terms))
        if started.is_new:
            return Outcome(Reception.STARTED, started.investigation)
        return Outcome(Reception.FOLLOWING if started.new_thread else Reception.ALREADY_HERE, started.investigation)

    async def _too_much(
        self,
        connection: AsyncConnection,
        ask: Ask,
        ask_id: int,
        after: int | None,
        refusal: OverBudget | CoolingDown,
    ) -> Outcome:
        over = isinstance(refusal, OverBudget)
        decision = Decision.OVER_BUDGET if over else Decision.COOLING_DOWN
        budget = refusal.usage.words() if isinstance(refusal, OverBudget) else ""
        values = {"state": "refused", "problem": str(decision), "owner": None}
        await connection.execute(update(asks).where(asks.c.id == ask_id).values(**values))
        if over and ask.requester:
            await connection.execute(
                held_asks.insert().values(
                    ask_id=ask_id,
                    workspace=ask.place.workspace,
                    person=ask.requester,
                    subject=ask.subject,
                    after_run=after,
                    held_at=self._database.now,
                )
            )
        await note(self._database, connection, entry_of(ask, decision, budget=budget))
        return Outcome(Reception.REFUSED, refusal=refusal, ask_id=ask_id if over else 0)

    # -- asks whose alert had to be looked up first -------------------------------------------------------------

    async def found(self, fence: Fence, ask: Ask, alert: AlertRef | ExistingRun) -> Outcome | None:
        """The alert behind an ask is known now; None when somebody else took the ask over meanwhile."""
        limits = await self._budget.limits(ask.place)
        async with self._database.transaction() as connection:
            ours = (await connection.execute(select(asks.c.id).where(fence.holds(asks)))).first()
            if ours is None:
                return None
            terms = Terms(limits, await rule_noted(connection, ask.key))
            return await self._begin(connection, ask, fence.id, alert, terms)

    async def not_found(self, fence: Fence, problem: str) -> bool:
        values = {"state": "refused", "problem": problem, "owner": None}
        async with self._database.transaction() as connection:
            held = await fence.write(connection, asks, **values)
            if held:
                key = (await connection.execute(select(asks.c.key).where(asks.c.id == fence.id))).scalar_one()
                await note_not_found(connection, key)
        return held


def read_ask(row: Row[Any]) -> Ask:
    place = Place(row.workspace, row.channel, row.thread_ts)
    return Ask(row.key, row.subject, place, row.requester, Source(row.source), row.org)


def _entry(ask: Ask, started: Started, paid: Usage | None, terms: Terms) -> Entry:
    decision = Decision.CONFIRMED if terms.confirmed else Decision.STARTED
    return entry_of(
        ask,
        decision if started.is_new else Decision.JOINED,
        rule=terms.rule,
        budget=paid.words() if paid else "",
        investigation_id=started.investigation.id,
    )


# -- what a person asks for, up to its answer --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Investigate:
    subject: Subject
    source: Source = Source.COMMAND


INVESTIGATE = Resumable("investigate", Investigate)


@dataclass(frozen=True, slots=True)
class StartRequests:
    requests: Requests
    repository: InvestigationRepository
    permissions: Permissions
    rules: RuleRepository
    which_org: WhichOrg
    replies: Replies

    async def start(self, interaction: Interaction, request: Investigate, org: str = "") -> After:
        """Written down, if the person may have it, before Slack is told that we have it; then the person is answered."""
        ask = Ask(interaction.key, request.subject, interaction.place, interaction.person, request.source, org)
        return await self._start(ask, after_run=None)

    async def run_again(self, click: Interaction) -> After:
        """A new run of what the button's investigation was about."""
        before = await self.repository.get_in(click.workspace, click.number)
        subject = (before.alert or before.question) if before else None
        if before is None or subject is None:
            return answers.gone()
        ask = Ask(click.key, subject, click.place, click.person, Source.BUTTON, before.org)
        return await self._start(ask, after_run=before.run)

    async def _start(self, ask: Ask, *, after_run: int | None) -> After:
        facts = await self.which_org.facts(ask.place)
        verdict = await self.permissions.may_start_by(facts.rules, ask.requester)
        if isinstance(verdict, NotAllowed):
            return self.answer(ask, await self.requests.refuse(ask, verdict))
        # a thread is still to be read: its alert's link says which one
        choice = ask.org or ("" if isinstance(ask.subject, ThreadRef) else facts.org(host_of(ask.subject)))
        if not isinstance(choice, str):
            return self.answer(ask, Outcome(Reception.REFUSED, refusal=choice))
        ask, terms = replace(ask, org=choice), Terms(facts.limits, verdict.rule)
        return self.answer(ask, await self.requests.ask(ask, terms, after_run=after_run))

    # -- what the person is told where no card says it: only they see it ----------------------------------------

    async def answer(self, ask: Ask, outcome: Outcome) -> None:
        message = await self._message(ask, outcome)
        if message is not None and ask.requester:
            await self.replies.tell(ask.place, ask.requester, message)

    async def lookup_failed(self, ask: Ask, failure: Trouble) -> None:
        await self.replies.tell(ask.place, ask.requester, answers.lookup_failed(ask.subject, failure))

    async def _message(self, ask: Ask, outcome: Outcome) -> Message | None:
        match outcome.reception:
            case Reception.LOOKING_UP:
                return answers.looking_up(ask.subject)
            case Reception.REFUSED:
                return await self._refusal(ask, outcome)
            case Reception.ALREADY_HERE | Reception.FOLLOWING | Reception.REPEATED if outcome.investigation:
                permalink = await self._card_link(ask.place.workspace, outcome.investigation)
                return answers.already(outcome.investigation, permalink)
            case _:
                return None

    async def _card_link(self, workspace: str, investigation: Investigation) -> str:
        """To its first card in this workspace; empty while there is none."""
        cards = await self.repository.card_of(investigation.id, workspace)
        card = next(((channel, ts or thread) for channel, thread, ts in cards if ts or thread), None)
        return await self.replies.permalink(workspace, *card) if card else ""

    async def _refusal(self, ask: Ask, outcome: Outcome) -> Message | None:
        match outcome.refusal:
            case NotAllowed() as refused:
                return no_start.refused(refused)
            case OverBudget() as over:
                exceeds = await self.permissions.may_exceed(ask.place, ask.requester)
                rules = await self.rules.of(ask.place.workspace, ask.place.channel)
                ask_id = outcome.ask_id if isinstance(exceeds, Allowed) else 0
                return no_start.over_budget(over, rules.starters, ask_id=ask_id)
            case CoolingDown() as cooling:
                return no_start.cooling_down(cooling)
            case Undecided() as undecided:
                request = INVESTIGATE.record(Investigate(ask.subject, ask.source))
                return org_words(await self.which_org.asked(undecided, ask.key, ask.place, ask.requester, request))
            case None:
                return None
            case no_org:
                return org_words(no_org)
