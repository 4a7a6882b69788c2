"""Whether people would be served: each part of the bot is asked, and none may keep the others from answering."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bot.orgs.health import OrgHealth
from bot.slack.socket import SlackSocket
from bot.storage.all_workers import Workers
from bot.storage.write_probe import WriteProbe
from bot.web.health import HealthReport

ANSWERS_WITHIN = 2.0


@dataclass(eq=False)
class Health:
    writes: WriteProbe
    polls: Callable[[], Awaitable[str]]
    orgs: OrgHealth
    workers: Workers
    socket: SlackSocket | None = None  # none over HTTP

    async def parts(self) -> Sequence[HealthReport]:
        database, polls, slack = await asyncio.gather(self._database(), self._polls(), self._slack())
        datadog = HealthReport("datadog", *self.orgs.told())
        problems = self.workers.problems()
        loops = HealthReport("background", not problems, "; ".join(problems) or "every loop turns")
        return database, polls, slack, datadog, loops

    async def stop(self, _within: float) -> None:
        await self.writes.stop()

    async def _database(self) -> HealthReport:
        problem = await self.writes.problem()
        return HealthReport("database", not problem, problem or "the database takes what is written")

    async def _polls(self) -> HealthReport:
        try:
            async with asyncio.timeout(ANSWERS_WITHIN):
                problem = await self.polls()
        except Exception as error:  # noqa: BLE001  any reason means: it can't be told
            problem = f"when running investigations were looked at can't be read ({type(error).__name__})"
        return HealthReport("polls", not problem, problem or "running investigations are looked at in time")

    async def _slack(self) -> HealthReport:
        if self.socket is None:
            return HealthReport("slack", ok=True, sentence="Slack comes over HTTP, so there is no connection to watch")
        if not await self.socket.is_connected():
            return HealthReport("slack", ok=False, sentence="no connection to Slack")
        return HealthReport("slack", ok=True, sentence=f"Slack was heard {self.socket.silent_for:.0f} s ago")
