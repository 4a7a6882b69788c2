"""A small world for the heart: a scripted Datadog, threads in a Slack, a clock wound by hand, and bots that can die.

Nothing here runs by itself: a test asks, winds the clock and lets the bots take their turns.
"""

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

from sqlalchemy import ColumnElement, Row, Table, select, true

from bot.datadog.errors import DatadogError, NoAnswer, NotFound
from bot.datadog.investigations import Conclusion, InvestigationDetail, InvestigationItem, InvestigationPage
from bot.datadog.links import SITES
from bot.datadog.monitors import AlertEvent, Monitor
from bot.datadog.trouble import Trouble
from bot.investigations.alert_resolver import AlertResolver
from bot.investigations.ask_worker import AskWorker
from bot.investigations.asking import AskAnswers
from bot.investigations.findings import Findings
from bot.investigations.message_alerts import Found, ThreadNotReadError, ThreadReader
from bot.investigations.model import Investigation
from bot.investigations.poll_worker import PollWorker
from bot.investigations.repository import InvestigationRepository
from bot.investigations.requests import Outcome, Reception, Requests
from bot.investigations.tables import CARD, CONCLUSIONS, asks, investigations
from bot.investigations.trigger_worker import TriggerWorker
from bot.model import AlertRef, Ask, EarlierRun, Place, Question, Source, Subject
from bot.orgs.model import OrgEntry
from bot.orgs.repository import OrgRepository
from bot.rules.budget import Budget, Terms
from bot.rules.model import ChannelRules
from bot.rules.org_choice import OrgChooser, PlaceFacts
from bot.rules.permissions import Allowed, Permission, Permissions
from bot.rules.repository import RuleRepository
from bot.slack.errors import SlackTrouble
from bot.slack.poster import Kind, Poster
from bot.slack.waits import Waits
from bot.storage.engine import Database
from bot.storage.inbox import Inbox
from bot.storage.leases import new_owner
from bot.storage.outbox import Outbox
from bot.storage.tables import deliveries
from bot.storage.workers import Tasks, Timing
from tests.clock import Clock
from tests.investigations.slack import KINDS, FakeSlack
from tests.workers import close, recover

T = TypeVar("T")

ALERT = AlertRef(monitor_id=7, event_id="70", event_ts=1_700_000_000_000, monitor_name="Disk is full")
QUESTION = Question("Why is checkout slow?")
CAUSE = Conclusion("Disk full", "Logs filled the disk.", "Rotate them.")
TIMING = Timing(settle=20, pace=0)


# -- Datadog ----------------------------------------------------------------------------------------------------


@dataclass
class Run:
    id: str
    monitor_id: int | None
    about: str
    status: str = "in progress"
    conclusions: tuple[Conclusion, ...] = ()

    def ends(self, status: str = "conclusive", *conclusions: Conclusion) -> None:
        self.status = status
        self.conclusions = conclusions


@dataclass
class Fate:
    """What becomes of one call: an error, before or after it had its effect; the effect may come later still."""

    error: Exception | None = None
    lands: bool = False
    lands_in: float = 0.0


class Network:
    """Between a bot and somebody else's server. Calls go through unless a fate is waiting for them."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.calls: Counter[str] = Counter()
        self.fates: dict[str, deque[Fate]] = defaultdict(deque)
        self.choose: Callable[[str], Fate | None] = lambda _: None
        self.between: Callable[[str], Any] | None = None  # awaited on the way there and back
        self._under_way: list[tuple[float, Callable[[], Any]]] = []

    def expect(self, name: str, *fates: Fate | Exception) -> None:
        self.fates[name].extend(fate if isinstance(fate, Fate) else Fate(fate) for fate in fates)

    async def call(self, name: str, effect: Callable[[], T]) -> T:
        self.calls[name] += 1
        await self._travel(f"to {name}")
        fate = self.fates[name].popleft() if self.fates[name] else self.choose(name)
        if fate is None or (fate.error is None and not fate.lands_in):
            answer = effect()
            await self._travel(f"from {name}")
            return answer
        if fate.lands and fate.lands_in:
            self._under_way.append((self.clock.now + fate.lands_in, effect))
        elif fate.lands:
            effect()
        await self._travel(f"from {name}")
        raise fate.error or TimeoutError

    async def _travel(self, leg: str) -> None:
        await asyncio.sleep(0)
        if self.between is not None:
            await self.between(leg)

    def land(self) -> None:
        """Carry out what was still under way and has arrived by now."""
        arrived = [effect for at, effect in self._under_way if at <= self.clock.now]
        self._under_way = [(at, effect) for at, effect in self._under_way if at > self.clock.now]
        for effect in arrived:
            with suppress(DatadogError):  # nobody hears that answer
                effect()


class FakeDatadog:
    """One organisation. Lists show the newest run first."""

    def __init__(self, clock: Clock) -> None:
        self.network = Network(clock)
        self.runs: dict[str, Run] = {}
        self.fetched: list[str] = []
        self.events: dict[str, AlertEvent] = {}
        self.names: dict[int, str] = {}
        self.bits = FakeBits(self)
        self.alerts = FakeAlerts(self)
        self.monitors = FakeMonitors(self)

    def start(self, about: str, monitor_id: int | None) -> str:
        number = len(self.runs) + 1
        run = Run(f"00000000-0000-4000-8000-{number:012d}", monitor_id, about)
        self.runs[run.id] = run
        return run.id

    @property
    def run(self) -> Run:
        """The only one."""
        (run,) = self.runs.values()
        return run

    def about(self, subject: AlertRef) -> list[Run]:
        return [run for run in self.runs.values() if run.about == f"event {subject.event_id}"]

    @property
    def calls(self) -> Counter[str]:
        return self.network.calls


class FakeBits:
    def __init__(self, datadog: FakeDatadog) -> None:
        self._datadog = datadog
        self._call = datadog.network.call

    async def trigger_alert(self, monitor_id: int, event_id: str, event_ts: int) -> str:  # noqa: ARG002
        return await self._call("trigger", lambda: self._datadog.start(f"event {event_id}", monitor_id))

    async def trigger_question(
        self,
        description: str,
        tags: tuple[str, ...],  # noqa: ARG002
        start_ts: int | None,  # noqa: ARG002
        end_ts: int | None,  # noqa: ARG002
    ) -> str:
        return await self._call("trigger", lambda: self._datadog.start(description, None))

    async def page(self, offset: int = 0, limit: int = 100, monitor_id: int | None = None) -> InvestigationPage:
        return await self._call("page", lambda: self._page(offset, limit, monitor_id))

    def _page(self, offset: int, limit: int, monitor_id: int | None) -> InvestigationPage:
        listed = [run for run in reversed(self._datadog.runs.values()) if monitor_id in {None, run.monitor_id}]
        shown = listed[offset : offset + limit]
        items = tuple(InvestigationItem(run.id, run.about, run.status) for run in shown)
        return InvestigationPage(items, len(listed), len(items))

    async def ids(self, monitor_id: int | None = None) -> frozenset[str]:
        return await self._call(
            "ids",
            lambda: frozenset(run.id for run in self._datadog.runs.values() if monitor_id in {None, run.monitor_id}),
        )

    async def get(self, investigation_id: str) -> InvestigationDetail:
        self._datadog.fetched.append(investigation_id)
        return await self._call("get", lambda: self._get(investigation_id))

    def _get(self, investigation_id: str) -> InvestigationDetail:
        run = self._datadog.runs.get(investigation_id)
        if run is None:
            raise NotFound("Datadog knows no such investigation", status=404)
        url = f"https://app.datadoghq.com/bits-ai/investigations/{run.id}"
        return InvestigationDetail(run.id, run.about, run.status, run.conclusions, url)


class FakeAlerts:
    def __init__(self, datadog: FakeDatadog) -> None:
        self._datadog = datadog

    async def latest_alert(self, monitor_id: int, group: str = "") -> AlertEvent | None:
        def newest() -> AlertEvent | None:
            events = [event for event in self._datadog.events.values() if event.monitor_id == monitor_id]
            return max(
                (event for event in events if group in {"", event.group}),
                key=lambda event: event.event_ts,
                default=None,
            )

        return await self._datadog.network.call("latest_alert", newest)

    async def by_id(self, event_id: str) -> AlertEvent | None:
        return await self._datadog.network.call("by_id", lambda: self._datadog.events.get(event_id))


class FakeMonitors:
    def __init__(self, datadog: FakeDatadog) -> None:
        self._datadog = datadog

    async def get(self, monitor_id: int) -> Monitor:
        def named() -> Monitor:
            if monitor_id not in self._datadog.names:
                raise NotFound("Datadog knows no such monitor", status=404)
            return Monitor(self._datadog.names[monitor_id])

        return await self._datadog.network.call("monitor", named)


class FakeOrgs:
    def __init__(self, datadog: FakeDatadog) -> None:
        self._datadog = datadog
        self.connected = True

    async def get(self, org: str, *workspaces: str) -> FakeDatadog | None:
        return self._datadog if self.connected and org == "default" and workspaces else None

    def serves(self, _org: Any, _workspace: Any) -> ColumnElement[bool]:
        return true()


@dataclass
class FakeAnswers:
    """What people hear: in words, and as it was decided."""

    told: list[str] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)  # by the ask's key

    async def waits_for_look_up(self, ask: Ask) -> None:
        """The card says the rest."""

    async def waits_to_read(self, ask: Ask, wait: float) -> None:
        self.told.append(f"{ask.requester}: waits {wait:.0f}")

    async def could_not_read(self, ask: Ask, trouble: SlackTrouble) -> None:
        self.told.append(f"{ask.requester}: not read, {trouble.code}")

    async def waits_longer(self, ask: Ask, failure: Trouble, until: float) -> None:  # noqa: ARG002
        self.told.append(f"{ask.requester}: {failure.kind}, tried on")

    async def hears_of_trouble(self, ask: Ask, failure: Trouble) -> None:
        self.told.append(f"{ask.requester}: {failure.kind}")

    async def has_named_nothing(self, ask: Ask) -> None:
        self.told.append(f"{ask.requester}: no_alert")

    async def hears(self, ask: Ask, outcome: Outcome) -> None:
        self.outcomes[ask.key] = outcome
        known = outcome.investigation
        if outcome.reception is Reception.REFUSED:
            self.told.append(f"{ask.requester}: {type(outcome.refusal).__name__}")
        elif known and outcome.reception is not Reception.STARTED:
            self.told.append(f"{ask.requester}: joined {known.alert and known.alert.event_id}")


@dataclass
class FakePlaces:
    """Everybody may start anywhere, in the one organisation."""

    budget: Budget

    async def facts(self, place: Place) -> PlaceFacts:
        draft = await self.budget._rules.draft(place.workspace, place.channel)
        return PlaceFacts(draft.channel, draft.workspace, (OrgEntry("default", "", "default", SITES[0]),), "")

    async def may_start_by(self, rules: ChannelRules, person: str) -> Permission:  # noqa: ARG002
        return Allowed("everyone")


@dataclass
class FakeThreads:
    subject: Found | None = None
    troubles: deque[SlackTrouble] = field(default_factory=deque)  # what becomes of the next readings
    read: int = 0

    async def subject_of_message(self, place: Place, _message: object) -> Found | None:
        return await self.subject_of(place)

    async def subject_of(self, place: Place) -> Found | None:  # noqa: ARG002
        self.read += 1
        if self.troubles:
            raise ThreadNotReadError(self.troubles.popleft())
        return self.subject


@dataclass
class FakeFindings:
    """Nobody else has investigated anything."""

    async def heard(self, place: Place) -> str:  # noqa: ARG002
        return ""

    async def may_be_unheard(self, ask: Ask, alert: AlertRef, message: object) -> bool:  # noqa: ARG002
        return False


# -- bots and people --------------------------------------------------------------------------------------------


class Bot:
    """One process of ours, without its loops."""

    def __init__(self, world: "World") -> None:
        owner, timing = new_owner(), world.timing
        self._world = world
        self.repository = InvestigationRepository(world.database, timing)
        budget = Budget(world.database, RuleRepository(world.database))
        self.requests = Requests(self.repository, budget, Inbox(world.database))
        outbox = Outbox(world.database, lease=timing.lease)
        kinds: dict[str, Kind] = {name: kind(self.repository, outbox) for name, kind in KINDS.items()}
        orgs = cast("OrgRepository", world.orgs)
        places = FakePlaces(budget)
        threads, person = cast("ThreadReader", world.threads), cast("AskAnswers", world.answers)
        findings = cast("Findings", FakeFindings())
        self.ask_worker = AskWorker(
            world.database,
            timing,
            self.requests,
            self.repository,
            threads,
            cast("Permissions", places),
            cast("OrgChooser", places),
            findings,
            person,
            owner=owner,
        )
        self.alert_resolver = AlertResolver(
            world.database, timing, self.requests, threads, findings, orgs, person, owner=owner
        )
        self.runner = TriggerWorker(world.database, timing, self.repository, orgs, owner=owner)
        self.watcher = PollWorker(self.repository, orgs, timing)
        waits = Waits(world.database, world.clock)
        self.poster = Poster(world.database, timing, outbox, world.slack, kinds, waits, world.clock, owner=owner)

    async def ask(self, ask: Ask) -> Outcome:
        """Received and decided; what has to be looked up first is decided in a later turn."""
        await self.requests.receive(ask)
        outcomes = self._world.answers.outcomes
        for _ in range(100):  # a worker has fewer slots than a crowd has people
            if ask.key in outcomes:
                break
            await self.ask_worker.step()
            await asyncio.gather(*self.ask_worker._tasks._tasks)
        return outcomes[ask.key]

    async def judge(self) -> None:
        """What was received is judged; whether anybody hears of it is left open."""
        await self.ask_worker.step()
        judging = [task for task in self.ask_worker._tasks._tasks if task.get_name() != "an answer"]
        if judging:
            await asyncio.wait(judging)

    async def run_again(self, ask: Ask, number: int) -> Outcome:
        return await self.ask(replace(ask, subject=EarlierRun(number)))

    @property
    def parts(self) -> tuple[AskWorker | AlertResolver | TriggerWorker | PollWorker | Poster, ...]:
        return (self.ask_worker, self.alert_resolver, self.runner, self.watcher, self.poster)

    async def turn(self) -> None:
        """Each part takes a step, and what it began comes to its end; what was looked up is judged in the same turn."""
        begun = [await self._step(part) for part in (self.ask_worker, self.alert_resolver)]
        for part in self.parts if any(begun) else self.parts[2:]:
            await self._step(part)

    async def _step(self, part: AskWorker | AlertResolver | TriggerWorker | PollWorker | Poster) -> bool:
        """Whether there was anything to do. The poster looks again for as long as it wants to."""
        has_begun = False
        while True:
            part.alarm.off()
            await part.step()
            has_begun |= bool(self._running())
            await self.rest()
            if part is not self.poster or part.alarm.at > self._world.clock.now:
                return has_begun

    async def rest(self) -> None:
        while running := self._running():
            await asyncio.wait(running)

    def _running(self) -> set[asyncio.Task[None]]:
        groups: list[Tasks] = [part._tasks for part in self.parts]
        return {task for group in groups for task in group._tasks}

    async def die(self) -> None:
        """As kill -9 would: nothing more is done or written."""
        running = self._running()
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)

    async def recover(self) -> None:
        for part in self.parts:
            await recover(self._world.database, part)

    async def stop(self) -> None:
        for part in self.parts:
            await close(self._world.database, part, 1.0)


class World:
    def __init__(self, database: Database, clock: Clock, timing: Timing = TIMING) -> None:
        self.database = database
        self.clock = clock
        self.timing = timing
        self.datadog = FakeDatadog(clock)
        self.orgs = FakeOrgs(self.datadog)
        self.slack = FakeSlack(Network(clock))
        self.answers = FakeAnswers()
        self.threads = FakeThreads()
        self.bot = Bot(self)
        self._gestures = 0

    @property
    def repository(self) -> InvestigationRepository:
        return self.bot.repository

    def an_ask(self, subject: Subject = ALERT, *, by: str = "UANN", thread: str = "1.1", channel: str = "C1") -> Ask:
        self._gestures += 1
        return Ask(f"gesture {self._gestures}", subject, Place("T1", channel, thread), by, Source.BUTTON, "default")

    async def ask(
        self, subject: Subject = ALERT, *, by: str = "UANN", thread: str = "1.1", channel: str = "C1"
    ) -> Outcome:
        return await self.bot.ask(self.an_ask(subject, by=by, thread=thread, channel=channel))

    async def receive(self, subject: Subject = ALERT, *, by: str = "UANN", thread: str = "1.1") -> None:
        """It is kept; whatever it names is looked up in the bot's next turn."""
        await self.bot.requests.receive(self.an_ask(subject, by=by, thread=thread))

    async def turns(self, number: int = 3) -> None:
        for _ in range(number):
            await self.bot.turn()

    async def wind(self, seconds: float, *, step: float = 10.0) -> None:
        """Time passes and the bot goes on working."""
        while seconds > 0:
            self.clock.wind(min(step, seconds))
            seconds -= step
            self.datadog.network.land()
            self.slack.network.land()
            await self.bot.turn()

    async def restart(self) -> None:
        await self.bot.die()
        self.bot = Bot(self)
        await self.bot.recover()

    async def investigation(self, number: int = 1) -> Investigation:
        found = await self.repository.get(number)
        assert found is not None
        return found

    async def state(self, number: int = 1) -> str:
        return str((await self.investigation(number)).state)

    async def rows(self, table: Table) -> list[Row[Any]]:
        async with self.database.transaction() as connection:
            return list((await connection.execute(select(table).order_by(table.c.id))).all())

    async def deliveries(self) -> list[Row[Any]]:
        return await self.rows(deliveries)

    async def asks(self) -> list[Row[Any]]:
        return await self.rows(asks)

    async def investigations(self) -> list[Row[Any]]:
        return await self.rows(investigations)


def lost(error: DatadogError | None = None, *, lands: bool, lands_in: float = 0.0) -> Fate:
    """A call whose answer never came; it may have been carried out all the same, or is carried out later."""
    return Fate(error or NoAnswer("no answer"), lands=lands, lands_in=lands_in)


async def start(requests: Requests, ask: Ask) -> Outcome:
    """Decided at once, with what the place's rules say of its cost."""
    return await requests.ask(ask, Terms(await requests._budget.limits(ask.place), rule="everyone"))


__all__ = ["ALERT", "CARD", "CAUSE", "CONCLUSIONS", "QUESTION", "TIMING", "Bot", "Fate", "World", "lost", "start"]
