"""Whether people would be served: each part of the bot is asked, and none may keep the others from answering."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bot.orgs.health import OrgHealth
from bot.slack.socket import SlackSocket
from bot.storage.leases import Workers
from bot.storage.write_probe import WriteProbe
from bot.web.health import Part

ANSWERS_WITHIN = 2.0


@dataclass(eq=False)
class Health:
    writes: WriteProbe
    polls: Callable[[], Awaitable[str]]
    orgs: OrgHealth
    workers: Workers
    socket: SlackSocket | None = None  # none over HTTP

    async def parts(self) -> Sequence[Part]:
        database, polls, slack = await asyncio.gather(self._database(), self._polls(), self._slack())
        datadog = Part("datadog", *self.orgs.told())
        problems = self.workers.problems()
        loops = Part("background", not problems, "; ".join(problems) or "every loop turns")
        return database, polls, slack, datadog, loops

    async def stop(self, _within: float) -> None:
        await self.writes.stop()

    async def _database(self) -> Part:
        problem = await self.writes.problem()
        return Part("database", not problem, problem or "the database takes what is written")

    async def _polls(self) -> Part:
        try:
            async with asyncio.timeout(ANSWERS_WITHIN):
                problem = await self.polls()
        except Exception as error:  # noqa: BLE001  any reason means: it can't be told
            problem = f"when running investigations were looked at can't be read ({type(error).__name__})"
        return Part("polls", not problem, problem or "running investigations are looked at in time")

    async def _slack(self) -> Part:
        if self.socket is None:
            return Part("slack", ok=True, sentence="Slack comes over HTTP, so there is no connection to watch")
        if not await self.socket.is_connected():
            return Part("slack", ok=False, sentence="no connection to Slack")
        return Part("slack", ok=True, sentence=f"Slack was heard {self.socket.silent_for:.0f} s ago")
