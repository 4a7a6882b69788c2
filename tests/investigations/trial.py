"""A trial by misfortune: bots that work at once, die at any await, lose answers, and come back.

Seeded, so that what it finds can be played again, nearly: threads and timers add their own chance. `Trial.run` leaves the world at rest; `Trial.faults` says what is wrong.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar
from itertools import count

from bot.datadog.errors import NoAnswer, NotSent, Unavailable
from bot.datadog.trouble import TroubleKind
from bot.investigations.model import State
from bot.model import AlertRef
from tests.investigations.slack import says, slow_down
from tests.investigations.world import CAUSE, Bot, Fate, Network, World

MONITORS = 3
TIRED = 50  # times as many rounds: what has not happened by then does not happen any more

_at_work: ContextVar[Bot | None] = ContextVar("at work", default=None)  # for whatever tasks its work is done in


class Trial:
    def __init__(self, world: World, seed: int, *, bots: int = 2, rounds: int) -> None:
        self.world = world
        self.random = random.Random(seed)
        self.rounds = rounds
        self.bots = [Bot(world) for _ in range(bots)]
        self.doomed: set[Bot] = set()
        self.deaths = 0
        self.threads: dict[str, AlertRef] = {}
        self._thaw = asyncio.Event()
        for network in (world.datadog.network, world.slack.network):
            network.between = self._on_the_way
            network.choose = self._fate
        self.trouble = True

    async def run(self, *, until: Callable[[], bool] = lambda: True) -> None:
        """All the rounds, and more of them until this has happened: the dice fall with the machine's speed, too."""
        for number in count():
            if number >= self.rounds and until():
                break
            assert number < TIRED * self.rounds, misfortunes(self)
            await self._round()
        self.trouble = False
        for network in (self.world.datadog.network, self.world.slack.network):
            network.between = None
            network.choose = lambda _: None
        await self._come_to_rest()

    async def _round(self) -> None:
        chance = self.random.random
        if chance() < 0.3:
            await self._somebody_asks()
        if chance() < 0.3:
            self._some_run_ends()
        turns = [asyncio.create_task(self._turn(number)) for number in range(len(self.bots))]
        await asyncio.wait(turns)
        for turn in turns:
            turn.result()
        self._pass_time(self.random.uniform(0, 8))

    async def _turn(self, number: int) -> None:
        """One bot's turn, up to its end or the bot's."""
        bot = self.bots[number]
        work = asyncio.create_task(self._work(bot))
        while not work.done():
            await asyncio.wait({work}, timeout=0.0005)
            if bot in self.doomed:
                work.cancel()
                await asyncio.wait({work})
                await bot.die()
                self.deaths += 1
                self.bots[number] = Bot(self.world)

    async def _work(self, bot: Bot) -> None:
        _at_work.set(bot)
        parts = list(bot.parts)
        self.random.shuffle(parts)
        for part in parts:
            await part.step()
        while running := bot._running():
            await asyncio.wait(running)

    async def _on_the_way(self, leg: str) -> None:  # noqa: ARG002
        for _ in range(self.random.randrange(4)):
            await asyncio.sleep(0)
        if self.trouble and self.random.random() < 0.05:
            await self._die()

    async def _die(self) -> None:
        """The bot whose work this is; a person's own request is nobody's."""
        if (bot := _at_work.get()) in self.bots:
            self.doomed.add(bot)
            await asyncio.Event().wait()

    def _fate(self, name: str) -> Fate | None:
        """Answers that never come, before, after and long after the deed; and Slack's and Datadog's own refusals."""
        if not self.trouble or self.random.random() > (0.4 if name == "trigger" else 0.2):
            return None
        if name in {"post", "edit", "look"} and self.random.random() < 0.4:
            return Fate(self.random.choice([slow_down(3), says("internal_error"), says("service_unavailable")]))
        if self.random.random() < 0.3:
            error = NotSent("no connection") if name not in {"post", "edit", "look"} else slow_down(1)
            return Fate(error)
        lands = self.random.random() < 0.7
        late = self.random.uniform(0, self.world.timing.settle * 0.95) if self.random.random() < 0.5 else 0.0
        silence = self.random.choice([NoAnswer("silence"), Unavailable("502", status=502)])
        error_ = silence if name not in {"post", "edit", "look"} else TimeoutError()
        return Fate(error_, lands=lands, lands_in=late if lands else 0.0)

    async def _somebody_asks(self) -> None:
        event = self.random.randrange(6)
        alert = AlertRef(event % MONITORS, str(event), 1, "Disk is full")
        thread = f"{self.random.randrange(3)}.{event}"
        self.threads[thread] = alert
        channel = f"C{self.random.randrange(2)}" if thread not in self._channels else self._channels[thread]
        self._channels[thread] = channel
        bot = self.random.choice(self.bots)
        await bot.requests.receive(self.world.an_ask(alert, thread=thread, channel=channel))

    @property
    def _channels(self) -> dict[str, str]:
        return self.__dict__.setdefault("_places", {})  # type: ignore[no-any-return]

    def _some_run_ends(self) -> None:
        running = [run for run in self.world.datadog.runs.values() if run.status == "in progress"]
        if running:
            self.random.choice(running).ends("conclusive", CAUSE)

    def _pass_time(self, seconds: float) -> None:
        self.world.clock.wind(seconds)
        self.world.datadog.network.land()
        self.world.slack.network.land()

    async def _come_to_rest(self) -> None:
        """The storm is over: everything runs to its end."""
        for _ in range(30):
            self._pass_time(10)
            for run in self.world.datadog.runs.values():
                run.ends("conclusive", CAUSE)
            for bot in self.bots:
                await bot.turn()

    async def faults(self) -> list[str]:
        """What was lost or doubled; nothing, if all is well."""
        started = self._started()
        found = [f"{about}: {times} runs" for about, times in started.items() if times > 1]
        for investigation in await self.world.investigations():
            # who could not reach Datadog for so long says that nothing was started, and nothing was
            is_honest = investigation.state == State.FAILED and not started[f"event {investigation.subject.event_id}"]
            if investigation.state not in {State.CONCLUDED, State.UNCERTAIN} and not is_honest:
                found.append(f"investigation {investigation.id} is left {investigation.state}")
            if investigation.state == State.CONCLUDED and not self._is_right(investigation):
                found.append(f"investigation {investigation.id} has another one's run")
        states = {row.subject.event_id: row.state for row in await self.world.investigations()}
        for thread, alert in self.threads.items():
            found += self._faults_of(thread, states[alert.event_id])
        return found

    def _is_right(self, row: object) -> bool:
        run = self.world.datadog.runs[row.datadog_id]  # type: ignore[attr-defined]
        return run.about == f"event {row.subject.event_id}"  # type: ignore[attr-defined]

    def _started(self) -> Counter[str]:
        return Counter(run.about for run in self.world.datadog.runs.values())

    def _faults_of(self, thread: str, state: str) -> list[str]:
        said = self.world.slack.said(self._channels[thread], thread)
        ends = {
            State.CONCLUDED: ["card: concluded", "conclusive: Disk full"],
            State.FAILED: [f"card: failed ({TroubleKind.NOT_REACHED})"],
        }
        wanted = ends.get(State(state), [f"card: {state}"])
        return [] if said == wanted else [f"thread {thread}: {said} instead of {wanted}"]


def misfortunes(trial: Trial) -> dict[str, int]:
    """How much happened, so that a trial in which nothing went wrong is noticed."""
    networks: list[Network] = [trial.world.datadog.network, trial.world.slack.network]
    return {"deaths": trial.deaths, "looks": sum(network.calls["look"] for network in networks)}
