"""What `/readyz` and `/healthz` tell a supervisor while something is really broken, and once it is well again."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import httpx
import pytest
from sqlalchemy import text

from bot.datadog.errors import DatadogError
from bot.datadog.orgs import ConnectedOrg
from bot.investigations.poll_worker import PollWorker
from bot.sandbox.datadog import Script
from bot.slack import socket as slack_socket
from bot.storage import workers, write_probe
from bot.storage.workers import Alarm, Loop
from tests.e2e.org_town import OrgTown
from tests.e2e.town import Town
from tests.line import Line
from tests.pg import ready_postgres_url

__all__ = ["ready_postgres_url"]

PARTS = ["database", "polls", "slack", "datadog", "background"]


@pytest.fixture(autouse=True)
def told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_probe.WriteProbe.__init__, "__kwdefaults__", {"within": 1.0, "good_for": 0.0} | _CLOCK)
    monkeypatch.setattr(slack_socket, "PING_EVERY", 0.2)


_CLOCK = {"clock": (write_probe.WriteProbe.__init__.__kwdefaults__ or {})["clock"]}


class Probe:
    """A supervisor."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def ready(self) -> tuple[int, dict[str, Any]]:
        answer = await self._client.get("/readyz")
        return answer.status_code, answer.json()

    async def alive(self) -> tuple[int, dict[str, Any]]:
        answer = await self._client.get("/healthz")
        return answer.status_code, answer.json()

    async def until(self, *, failing: str = "", saying: str = "") -> str:
        """Until this part fails and says so, or none does; then what is said of it."""
        async with asyncio.timeout(60):
            while True:
                status, told = await self.ready()
                bad = {part["name"]: part["sentence"] for part in told["parts"] if not part["ok"]}
                assert status == (503 if bad else 200)
                if (saying in bad.get(failing, "") and failing in bad) if failing else not bad:
                    return str(bad.get(failing, ""))
                await asyncio.sleep(0.02)  # nobody tells

    async def until_dead(self) -> str:
        async with asyncio.timeout(20):
            while (answer := await self.alive())[0] == 200:  # noqa: ASYNC110  nobody tells
                await asyncio.sleep(0.02)
        status, told = answer
        assert (status, told["alive"]) == (503, False)
        return str(told["problem"])


@asynccontextmanager
async def watched(town: Town) -> AsyncIterator[Probe]:
    url = f"http://127.0.0.1:{town.bot.port}"
    async with httpx.AsyncClient(trust_env=False, base_url=url, timeout=30) as client:
        yield Probe(client)


async def on_its_connection(town: Town, statement: str) -> None:
    async with town.bot._database.engine.connect() as connection:
        await connection.execute(text(statement))


async def test_each_part_has_a_sentence(town: Town) -> None:
    async with watched(town) as probe:
        status, told = await probe.ready()
        assert (status, told["ready"], told["problem"]) == (200, True, "")
        assert [part["name"] for part in told["parts"]] == PARTS
        assert all(part["ok"] and part["sentence"] for part in told["parts"])


async def test_asking_leaves_nothing_in_the_database(town: Town) -> None:
    query = text("SELECT name, sql FROM sqlite_master ORDER BY name")
    before = await town.bot._database.all(query)
    async with watched(town) as probe:
        assert (await probe.ready())[0] == 200
    assert await town.bot._database.all(query) == before


@pytest.mark.parametrize(
    ("breaks", "mends", "word"),
    [
        ("PRAGMA query_only=ON", "PRAGMA query_only=OFF", "SQLITE_READONLY"),
        ("PRAGMA max_page_count=1", "PRAGMA max_page_count=1000000", "SQLITE_FULL"),
    ],
)
async def test_an_sqlite_file_that_takes_nothing(town: Town, breaks: str, mends: str, word: str) -> None:
    async with watched(town) as probe:
        await on_its_connection(town, breaks)
        assert word in await probe.until(failing="database")
        assert await probe.alive() == (200, {"alive": True})
        await on_its_connection(town, mends)
        await probe.until()


async def test_an_sqlite_file_that_somebody_has_locked(town: Town) -> None:
    async with watched(town) as probe:
        locking = sqlite3.connect(town.folder / "bits.sqlite3", isolation_level=None)
        locking.execute("BEGIN IMMEDIATE")
        assert "has not taken a write" in await probe.until(failing="database")
        locking.execute("ROLLBACK")
        locking.close()
        await probe.until()


async def test_a_postgres_that_only_reads(tmp_path: Path, ready_postgres_url: str) -> None:
    async with Town(tmp_path, database_url=ready_postgres_url) as town, watched(town) as probe:
        await probe.until()
        operator = await asyncpg.connect(
            ready_postgres_url.replace("+asyncpg", ""), server_settings={"default_transaction_read_only": "off"}
        )
        name = await operator.fetchval("SELECT current_database()")
        try:
            await operator.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
            await operator.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            await probe.until(failing="database", saying="ReadOnlySQLTransaction")
            assert (await probe.alive())[0] == 200
        finally:
            await operator.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
            await operator.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            await operator.close()
        await probe.until()


async def test_a_postgres_behind_a_line_that_went_dead(tmp_path: Path, ready_postgres_url: str) -> None:
    line = Line(ready_postgres_url)
    town = Town(tmp_path, database_url=await line.start())
    async with town, watched(town) as probe:
        await probe.until()
        line.swallows_everything()
        assert "has not taken a write" in await probe.until(failing="database")
        assert (await probe.alive())[0] == 200
        await line.stop()


async def test_a_socket_that_was_cut(town: Town) -> None:
    async with watched(town) as probe:
        town.slack.break_next("apps.connections.open", times=1000, status=503)
        town.slack.sockets.cut()
        assert await probe.until(failing="slack") == "no connection to Slack"
        assert (await probe.alive())[0] == 200
        town.slack.heal()
        await probe.until()


async def test_over_http_there_is_no_socket_to_tell_of(tmp_path: Path) -> None:
    async with Town(tmp_path, mode="http") as town, watched(town) as probe:
        status, told = await probe.ready()
        assert status == 200
        assert "HTTP" in next(part["sentence"] for part in told["parts"] if part["name"] == "slack")


async def test_a_key_of_datadog_that_was_revoked(town: Town) -> None:
    """Its keys come back, and the bot finds that out although nobody asks it for anything."""
    town.datadog.plan(Script.held())
    async with watched(town) as probe:
        alert = await town.alert()
        await town.ana.shortcut("investigate_message", on=alert.message)
        await town.reads(alert.message, "Investigating")
        key, town.datadog.org.api_key = town.datadog.org.api_key, "another"
        assert "default" in await probe.until(failing="datadog")
        assert (await probe.alive())[0] == 200
        town.datadog.org.api_key = key
        await probe.until()


async def test_one_organisation_that_fails_is_named_while_another_works(tmp_path: Path) -> None:
    async with OrgTown(tmp_path) as town, watched(town) as probe:
        await town.connects(town.acme)
        acme = await _connected(town)
        town.acme.api_key = "another"
        for _ in range(3):
            with pytest.raises(DatadogError, match="403"):
                await acme.bits.page(offset=0, limit=1)
        status, told = await probe.ready()
        assert status == 200
        assert acme.name in next(part["sentence"] for part in told["parts"] if part["name"] == "datadog")


async def _connected(town: OrgTown) -> ConnectedOrg:
    (entry,) = [each for each in await town.bot._orgs.everywhere() if each.id != "default"]
    org = await town.bot._orgs.get(entry.id, entry.workspace)
    assert org is not None
    return org


async def test_investigations_that_nobody_looks_at(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town.datadog.plan(Script.held())
    async with watched(town) as probe:
        alert = await town.alert()
        await town.ana.shortcut("investigate_message", on=alert.message)
        await town.reads(alert.message, "Investigating")
        await probe.until()
        with monkeypatch.context() as patch:
            patch.setattr(PollWorker, "_take_turns", _nothing)
            assert "have not been looked at" in await probe.until(failing="polls")
        await probe.until()


async def _nothing(*_: object) -> dict[str, Any]:
    return {}


async def test_a_loop_that_its_time_out_cannot_end_is_for_the_supervisor(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "STEP_WITHIN", 0.05)
    monkeypatch.setattr(workers, "STUCK_AFTER", 2.0)
    goes_on = asyncio.Event()
    deaf = await _started(town, "deaf", lambda: _will_not_end(goes_on))
    async with watched(town) as probe:
        assert await probe.until_dead() == "deaf is stuck: only a new start ends that"
        assert "deaf" in await probe.until(failing="background")
        goes_on.set()
        await probe.until()
        assert (await probe.alive())[0] == 200
    await deaf.stop()


async def test_a_loop_that_has_ended_by_itself_is_for_the_supervisor(town: Town) -> None:
    async def ends() -> None:
        raise asyncio.CancelledError

    await _started(town, "gone", ends)
    async with watched(town) as probe:
        assert "gone" in await probe.until_dead()


async def test_a_loop_that_fails_is_for_the_one_who_reads(town: Town) -> None:
    async def fails() -> None:
        raise OSError

    failing = await _started(town, "failing", fails)
    failing._failures = workers.FAILS_AFTER
    async with watched(town) as probe:
        assert "failing has failed" in await probe.until(failing="background")
        assert (await probe.alive())[0] == 200


async def _started(town: Town, name: str, step: Callable[[], Awaitable[object]]) -> Loop:
    loop = Loop(name, step, Alarm(asyncio.get_running_loop().time))
    town.bot._workers.loops.append(loop)
    loop.alarm.ring()
    loop.start()
    return loop


async def _will_not_end(goes_on: asyncio.Event) -> None:
    while not goes_on.is_set():
        try:
            await goes_on.wait()
        except asyncio.CancelledError:
            continue


async def test_a_bot_that_stops_is_not_ready(town: Town) -> None:
    async with watched(town) as probe:
        town.bot._stopping = True
        status, told = await probe.ready()
        assert (status, told["problem"]) == (503, "stopping")
