"""A town in which real bots live, as processes of their own, and die when a test says so.

The kill happens inside the fake Slack or Datadog, the moment a request arrives there: whether that request is then
carried out, never or later is the test's choice.
"""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from sqlalchemy import ColumnElement, Select, Table, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.investigations.tables import RECEIVED, asks, investigations
from bot.sandbox.datadog import FakeAlert, FakeDatadog, Script
from bot.sandbox.slack import Channel, FakeSlack, Message
from bot.storage.tables import deliveries
from tests.e2e.town import patient_slack
from tests.faults.bots import BotProcess, as_it_is

SETTLE = 1.0
TRIGGER = "/api/v2/bits-ai/investigations"


@dataclass
class Alert:
    fired: FakeAlert
    message: Message

    @property
    def posts(self) -> Counter[str]:
        """What of ours stands under it, by kind."""
        return Counter(_key(reply).split(":")[0] for reply in self.message.replies)

    def says(self, words: str) -> bool:
        return any(words in reply.shown for reply in self.message.replies)

    @property
    def is_uncertain(self) -> bool:
        return self.says("Not sure this started")

    @property
    def answered(self) -> bool:
        return self.posts["conclusions"] > 0 or self.is_uncertain


class Storm:
    def __init__(
        self,
        folder: Path,
        database_url: str = "",
        *,
        settle: float = SETTLE,
        slack: FakeSlack | None = None,
        **environment: str,
    ) -> None:
        self.folder = folder
        self.database_url = database_url or f"sqlite+aiosqlite:///{folder}/bits.sqlite3"
        self.settle = settle
        self.environment = environment
        self.slack = slack or patient_slack()
        self.datadog = FakeDatadog()
        self.ana = self.slack.workspace.add_user("ana")
        self.channels = [self.slack.workspace.add_channel(name) for name in ("alerts", "more-alerts")]
        self.bots: list[BotProcess] = []
        self.also_owed: list[Select[Any]] = []  # counts of what has to come to an end besides
        self.alerts: list[Alert] = []

    async def __aenter__(self) -> Self:
        await self.slack.start()
        await self.datadog.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        for bot in self.bots:
            bot.send(signal.SIGCONT)
            bot.send(signal.SIGKILL)
            await bot.end()
        self.datadog.heal()
        self.slack.heal()
        await self.slack.stop()
        await self.datadog.stop()

    # -- bots -------------------------------------------------------------------------------------------------------

    async def start(self, prepare: Callable[[], None] = as_it_is, **environment: str) -> BotProcess:
        before = list(self.slack.sockets.in_use)
        bot = await self.launch(prepare, **environment)
        await self.slack.wait_for(lambda: any(one not in before for one in self.slack.sockets.in_use))
        return bot

    async def launch(self, prepare: Callable[[], None] = as_it_is, **environment: str) -> BotProcess:
        """Its process runs; when it is ready is not waited for."""
        log = self.folder / f"bot-{len(self.bots)}.log"
        bot = BotProcess(self._environment() | environment, log, prepare)
        self.bots.append(bot)
        return await bot.start()

    def _in_slack(self) -> dict[str, str]:
        return {"SLACK_BOT_TOKEN": self.slack.bot_token, "SLACK_APP_TOKEN": self.slack.app_token}

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}}
        usual = {
            "SLACK_API_URL": self.slack.api_url,
            "DD_API_KEY": self.datadog.api_key,
            "DD_APP_KEY": self.datadog.app_key,
            "DD_API_URL": self.datadog.url,
            "DATABASE_URL": self.database_url,
            "BITS_HTTP_PORT": "0",
            "BITS_SETTLE_SECONDS": str(self.settle),
            "BITS_POLL_FIRST_SECONDS": "0.2",
            "BITS_POLL_SECONDS": "0.2",
            "BITS_POLL_SLOW_SECONDS": "0.2",
        }
        return kept | usual | self._in_slack() | self.environment

    # -- what happens -----------------------------------------------------------------------------------------------

    async def alert(self, *, held: bool = False) -> Alert:
        monitor = self.datadog.add_monitor(f"Disk {len(self.alerts)} almost full")
        if held:
            self.datadog.plan(Script.held(), monitor=monitor)
        return await self.post(self.datadog.fire(monitor), self.channels[len(self.alerts) % len(self.channels)])

    async def post(self, fired: FakeAlert, channel: Channel) -> Alert:
        """As Datadog's own app does it."""
        message = await self.slack.post_as_datadog(
            channel, title=fired.slack_title, title_link=fired.link(), text=fired.text
        )
        alert = Alert(fired, message)
        self.alerts.append(alert)
        return alert

    async def investigate(self, alert: Alert) -> None:
        await self.ana.shortcut("investigate_message", on=alert.message)

    def on_trigger(self, act: Callable[[], None], **fate: Any) -> None:
        """The next request to start a run meets this the moment it arrives."""
        self.datadog.break_next("POST", TRIGGER, where=lambda _: _done(act), **fate)

    def on_post(self, kind: str, act: Callable[[], None], **fate: Any) -> None:
        self.slack.break_next("chat.postMessage", when=lambda call: _is(kind, call) and _done(act), **fate)

    def on_edit(self, kind: str, act: Callable[[], None], **fate: Any) -> None:
        self.slack.break_next("chat.update", when=lambda call: _is(kind, call) and _done(act), **fate)

    # -- what came of it --------------------------------------------------------------------------------------------

    async def answers(self, *alerts: Alert, within: float = 40.0) -> None:
        await self.slack.wait_for(lambda: all(alert.answered for alert in alerts), timeout=within)

    async def calm(self, within: float = 40.0) -> None:
        """Until the bots themselves believe that everything is delivered: what comes twice has come by then."""
        engine = create_async_engine(self.database_url)
        async with asyncio.timeout(within):
            while await self._owed(engine):  # noqa: ASYNC110  other processes write this: there is nothing to wait on
                await asyncio.sleep(0.05)
        await engine.dispose()

    async def values(self, query: Select[Any]) -> set[Any]:
        """The first column of what the bots have written down."""
        engine = create_async_engine(self.database_url)
        async with engine.connect() as connection:
            found = set((await connection.scalars(query)).all())
        await engine.dispose()
        return found

    async def unfinished(self) -> str:
        engine = create_async_engine(self.database_url)
        try:
            return f"{await self._owed(engine)} rows never come to an end"
        finally:
            await engine.dispose()

    async def _owed(self, engine: AsyncEngine) -> int:
        open_ones = or_(deliveries.c.shown < deliveries.c.wanted, deliveries.c.state == "sending")
        still_running = investigations.c.state.in_(["requested", "triggering", "running"])
        unfinished = (
            _count(deliveries, and_(open_ones, deliveries.c.state != "refused")),
            _count(investigations, still_running),
            _count(asks, asks.c.state == RECEIVED),
            *self.also_owed,
        )
        async with engine.connect() as connection:
            return sum([int(await connection.scalar(query) or 0) for query in unfinished])

    def faults(self) -> list[str]:
        """What was lost or doubled; nothing, if all is well."""
        started = Counter(run.event_id for run in self.datadog.triggers())
        found = [f"event {event}: {times} runs" for event, times in started.items() if times > 1]
        for number, alert in enumerate(self.alerts):
            # a bot that died before its request left cannot know that it did not: the card says so, nothing was started
            is_lost = alert.is_uncertain and not started[alert.fired.event_id]
            if alert.posts != (Counter(card=1) if is_lost else Counter(card=1, conclusions=1)):
                found.append(f"alert {number}: {dict(alert.posts)}")
        return found

    def looks(self) -> int:
        return len(self.slack.calls_to("conversations.replies", "conversations.history"))


def _count(table: Table, condition: ColumnElement[bool]) -> Select[Any]:
    return select(func.count()).select_from(table).where(condition)


def _key(message: Message) -> str:
    return str(((message.metadata or {}).get("event_payload") or {}).get("key", "no key of ours"))


def _is(kind: str, call: dict[str, Any]) -> bool:
    return f'"{kind}:' in str(call.get("metadata", "")).replace("'", '"')


def _done(act: Callable[[], None]) -> bool:
    act()
    return True
