"""The doctor: a bot that is well, each fault with what to do about it, and a running bot that is left alone."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from cryptography.fernet import Fernet

from bot.app import Bot
from bot.cli import _setup, main
from bot.doctor.examination import examine
from bot.doctor.model import Finding, FindingState, Setup, as_json, as_table, is_well, ok, warn
from bot.manifest import scopes
from bot.orgs.tables import webhook_secrets
from bot.sandbox.datadog.faults import Fault
from bot.storage.engine import Database
from bot.storage.migrations import TOO_OLD
from bot.wording import AI_WRITTEN
from tests.e2e.org_town import OrgTown
from tests.e2e.town import QUICK, Town

Environment = Callable[..., None]


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[OrgTown]:
    """A running bot in Socket Mode."""
    async with OrgTown(tmp_path) as town:
        grant_all(town)
        yield town


def grant_all(town: Town) -> None:
    """The local Slack leaves one optional scope out."""
    install = town.slack.workspace.install
    assert install is not None
    install.scopes |= {*scopes().required, *scopes().optional}


async def found(setup: Setup) -> dict[str, Finding]:
    findings = await examine(setup)
    names = [finding.name for finding in findings]
    assert len(names) == len(set(names)), names
    return {finding.name: finding for finding in findings}


def setup_of(town: Town, **changes: Any) -> Setup:
    setup: Setup = _setup(town.settings())
    return replace(setup, **changes)


# -- all is well ----------------------------------------------------------------------------------------------------


async def test_a_bot_that_is_well(town: OrgTown) -> None:
    await town.is_connected(town.acme)

    findings = await found(setup_of(town))

    assert {name: finding.state for name, finding in findings.items()} == {
        "Database": FindingState.OK,
        "Encryption keys": FindingState.OK,
        "Slack token": FindingState.OK,
        "Slack scopes": FindingState.OK,
        "Slack socket": FindingState.OK,
        "Datadog webhook": FindingState.OK,
        "Datadog (default)": FindingState.OK,
        f"Datadog (acme, {town.slack.workspace.id})": FindingState.OK,
    }
    assert "acts as Bits Bot (service account)" in findings["Datadog (default)"].told
    assert "shows on use: bits_investigations_write" in findings["Datadog (default)"].told


async def test_a_running_bot_goes_on_undisturbed(town: OrgTown) -> None:
    opened = town.slack.sockets.opened
    await examine(setup_of(town))

    assert town.slack.sockets.opened == opened
    alert = await town.alert()
    await town.ana.shortcut("investigate_message", on=alert.message)
    await town.reads(alert.message, AI_WRITTEN)


async def test_nothing_is_written_or_locked(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/bits.sqlite3")
    await database.open()
    await database.close()
    async with NoBot(tmp_path) as town:
        before = (tmp_path / "bits.sqlite3").read_bytes()

        assert (await found(setup_of(town)))["Database"].state == "ok"

        assert (tmp_path / "bits.sqlite3").read_bytes() == before


class NoBot(OrgTown):
    """The town before the bot is started."""

    async def start_bot(self) -> None:
        self.bot = Bot(self.settings(), timing=QUICK)


@pytest.fixture
async def still_town(tmp_path: Path) -> AsyncIterator[NoBot]:
    async with NoBot(tmp_path) as town:
        grant_all(town)
        yield town


# -- Slack ----------------------------------------------------------------------------------------------------------


async def test_a_wrong_bot_token(still_town: NoBot) -> None:
    finding = (await found(setup_of(still_town, bot_token="xoxb-wrong")))["Slack token"]

    assert (finding.state, finding.told) == (FindingState.FAIL, "Slack does not accept it (invalid_auth)")
    assert "copy the Bot User OAuth Token into SLACK_BOT_TOKEN" in finding.fix


async def test_slack_out_of_reach(still_town: NoBot) -> None:
    finding = (await found(setup_of(still_town, slack_api_url="http://127.0.0.1:9/api/")))["Slack token"]

    assert finding.state == "fail"
    assert "Slack can't be reached at http://127.0.0.1:9/api/" in finding.told


@pytest.mark.parametrize(
    ("missing", "state", "told"),
    [
        ("chat:write", FindingState.FAIL, "not granted: chat:write"),
        ("users:read.email", FindingState.WARN, "the optional ones are not granted: users:read.email"),
    ],
)
async def test_scopes_that_were_not_granted(still_town: NoBot, missing: str, state: FindingState, told: str) -> None:
    install = still_town.slack.workspace.install
    assert install is not None
    install.scopes.discard(missing)

    finding = (await found(setup_of(still_town)))["Slack scopes"]

    assert (finding.state, finding.told) == (state, told)


async def test_a_wrong_app_token(still_town: NoBot) -> None:
    finding = (await found(setup_of(still_town, app_token="xapp-wrong")))["Slack socket"]

    assert (finding.state, finding.told) == (
        FindingState.FAIL,
        "Slack opens no socket for SLACK_APP_TOKEN (invalid_auth)",
    )
    assert "connections:write" in finding.fix


# -- Datadog --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "told"), [("api_key", "the API key is not known"), ("app_key", "is not accepted")])
async def test_wrong_datadog_keys(still_town: NoBot, name: str, told: str) -> None:
    setup = setup_of(still_town)
    assert setup.datadog is not None
    changes: dict[str, Any] = {name: "wrong-key"}
    wrong = replace(setup.datadog, **changes)

    finding = (await found(replace(setup, datadog=wrong)))["Datadog (default)"]

    assert finding.state == "fail"
    assert told in finding.told
    assert "Correct DD_API_KEY, DD_APP_KEY or DD_SITE" in finding.fix


async def test_a_key_with_a_line_break_in_it(still_town: NoBot) -> None:
    setup = setup_of(still_town)
    assert setup.datadog is not None

    finding = (await found(replace(setup, datadog=replace(setup.datadog, api_key="a\nb"))))["Datadog (default)"]

    assert finding.told.startswith("The Datadog API key holds a space")


@pytest.mark.parametrize(
    ("scope", "state"),
    [
        ("bits_investigations_read", FindingState.FAIL),
        ("cases_read", FindingState.WARN),
        ("events_read", FindingState.WARN),
    ],
)
async def test_missing_permissions(still_town: NoBot, scope: str, state: FindingState) -> None:
    still_town.datadog.org.scopes.discard(scope)

    finding = (await found(setup_of(still_town)))["Datadog (default)"]

    assert finding.state is state
    assert scope in finding.told
    assert "Grant it in Datadog" in finding.fix


async def test_datadog_that_does_not_answer(still_town: NoBot) -> None:
    still_town.datadog.faults.add(Fault("GET", "/api/v2/validate_keys", times=9, status=418))

    finding = (await found(setup_of(still_town)))["Datadog (default)"]

    assert finding.state == "fail"
    assert "did not answer usefully" in finding.told


async def test_no_organisation_at_all(still_town: NoBot) -> None:
    finding = (await found(setup_of(still_town, datadog=None)))["Datadog"]

    assert (finding.state, finding.told) == (FindingState.WARN, "no organisation is connected")


async def test_a_connected_organisation_whose_keys_no_longer_work(town: OrgTown) -> None:
    await town.is_connected(town.acme)
    town.acme.app_key = "revoked-and-replaced"

    finding = (await found(setup_of(town)))[f"Datadog (acme, {town.slack.workspace.id})"]

    assert finding.state == "fail"
    assert "Replace the keys in the bot's Home" in finding.fix


# -- database and keys ----------------------------------------------------------------------------------------------


async def test_a_database_that_is_not_there_yet(still_town: NoBot) -> None:
    finding = (await found(setup_of(still_town)))["Database"]

    assert finding.state == "ok"
    assert finding.told.endswith("bits.sqlite3 will be made at the first start")
    assert not (still_town.folder / "bits.sqlite3").exists()


async def test_a_folder_that_is_not_there(still_town: NoBot) -> None:
    url = f"sqlite+aiosqlite:///{still_town.folder}/nowhere/bits.sqlite3"

    assert (await found(setup_of(still_town, database_url=url)))["Database"].state == "fail"


async def test_a_file_that_is_no_database(still_town: NoBot) -> None:
    (still_town.folder / "bits.sqlite3").write_text("shopping list " * 100)

    finding = (await found(setup_of(still_town)))["Database"]

    assert finding.state == "fail"
    assert "can't be read as a database" in finding.told


async def test_an_empty_database_gets_its_schema_at_the_next_start(still_town: NoBot) -> None:
    (still_town.folder / "bits.sqlite3").touch()

    finding = (await found(setup_of(still_town)))["Database"]

    assert finding.state == "warn"
    assert "has schema none, this version's is" in finding.told


async def test_a_database_too_old_to_come_along(still_town: NoBot) -> None:
    with closing(sqlite3.connect(still_town.folder / "bits.sqlite3")) as file:
        file.executescript(
            "CREATE TABLE alembic_version (version_num TEXT); INSERT INTO alembic_version VALUES ('0003')"
        )

    finding = (await found(setup_of(still_town)))["Database"]

    assert (finding.state, finding.fix) == (FindingState.FAIL, TOO_OLD)


async def test_a_postgresql_that_is_not_there(still_town: NoBot) -> None:
    url = "postgresql+asyncpg://bits:secret@127.0.0.1:9/bits"

    finding = (await found(setup_of(still_town, database_url=url)))["Database"]

    assert finding.state == "fail"
    assert "PostgreSQL at 127.0.0.1 can't be used" in finding.told
    assert "secret" not in as_table([finding])


async def test_the_wrong_encryption_key(town: OrgTown) -> None:
    await town.is_connected(town.acme)

    findings = await found(setup_of(town, encryption_keys=(Fernet.generate_key().decode(),)))

    assert findings["Encryption keys"].state == "fail"
    assert "Put that key back, behind the newest one" in findings["Encryption keys"].fix
    assert findings[f"Datadog (acme, {town.slack.workspace.id})"].told == "its stored keys can't be opened"


async def test_a_lost_encryption_key(town: OrgTown) -> None:
    await town.is_connected(town.acme)

    finding = (await found(setup_of(town, encryption_keys=())))["Encryption keys"]

    assert (finding.state, finding.fix) == (FindingState.FAIL, "Put it back.")


async def test_oauth_needs_an_encryption_key(still_town: NoBot) -> None:
    setup = setup_of(still_town, uses_oauth=True, encryption_keys=(), public_url="")

    assert (await found(setup))["Encryption keys"].state == "fail"


async def test_whom_the_operators_keys_serve_with_oauth(town: OrgTown) -> None:
    named, nobody = [
        (await found(setup_of(town, uses_oauth=True, dd_workspaces=frozenset(names))))["DD_WORKSPACES"]
        for names in ({"T0123"}, ())
    ]
    assert (named.state, named.told) == ("ok", "the keys of the settings serve T0123")
    assert (nobody.state, nobody.told) == ("warn", "the keys of the settings serve nobody")
    assert "Name workspaces or enterprises in DD_WORKSPACES" in nobody.fix
    assert "DD_WORKSPACES" not in await found(setup_of(town))


async def test_an_organisation_without_a_webhook_secret(town: OrgTown) -> None:
    await town.is_connected(town.acme)
    async with town._beside.transaction() as connection:
        await connection.execute(webhook_secrets.delete())

    finding = (await found(setup_of(town)))[f"Datadog webhook (acme, {town.slack.workspace.id})"]

    assert (finding.state, finding.told) == ("warn", "it has no secret yet, so its path answers 401")
    assert "makes one in the bot's Home" in finding.fix


# -- the HTTP side --------------------------------------------------------------------------------------------------


@pytest.fixture
async def http_town(tmp_path: Path) -> AsyncIterator[Town]:
    async with Town(tmp_path, mode="http", bits_webhook_secret="a-long-webhook-secret") as town:
        yield town


def address(town: Town) -> str:
    return f"http://127.0.0.1:{town.bot.port}"


async def test_over_http_the_address_the_signature_and_the_webhook_are_tried(http_town: Town) -> None:
    findings = await found(setup_of(http_town, public_url=address(http_town)))

    assert {name: findings[name].state for name in ("Address", "Slack signature", "Datadog webhook")} == {
        "Address": "ok",
        "Slack signature": "ok",
        "Datadog webhook": "ok",
    }
    assert http_town.datadog.journal.asked("POST", "/api/v2/bits-ai/investigations") == []


async def test_another_signing_secret_than_the_running_bot_has(http_town: Town) -> None:
    setup = setup_of(http_town, public_url=address(http_town), signing_secret="another secret")

    finding = (await found(setup))["Slack signature"]

    assert finding.state == "fail"
    assert "The running bot has another secret" in finding.fix


async def test_a_public_address_where_nobody_answers(http_town: Town) -> None:
    findings = await found(setup_of(http_town, public_url="http://127.0.0.1:9"))

    assert findings["Address"].state == "fail"
    assert "DNS, certificate and proxy" in findings["Address"].fix
    assert "Slack signature" not in findings


async def test_without_a_public_address_the_local_one_is_tried(http_town: Town) -> None:
    findings = await found(setup_of(http_town, http_address=address(http_town)))

    assert findings["Address"].state == "warn"
    assert "Set BITS_PUBLIC_URL" in findings["Address"].fix
    assert findings["Slack signature"].state == "ok"


async def test_a_proxy_that_shows_nothing_but_what_slack_and_datadog_need(http_town: Town) -> None:
    async def passed_on(request: web.Request) -> web.Response:
        if not request.path.startswith(("/slack/", "/datadog/")):
            return web.Response(status=404)
        url, body = f"{address(http_town)}{request.path_qs}", await request.read()
        async with (
            ClientSession() as session,
            session.request(request.method, url, data=body, headers=request.headers) as answer,
        ):
            return web.Response(status=answer.status, body=await answer.read())

    async with served(passed_on) as url:
        findings = await found(setup_of(http_town, public_url=url))

    assert {findings[name].state for name in ("Address", "Slack signature", "Datadog webhook")} == {"ok"}


@asynccontextmanager
async def served(answer: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[str]:
    """The address where something else than the bot answers."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_something_else_that_says_yes_to_everything(still_town: NoBot) -> None:
    async def yes(_: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async with served(yes) as url:
        setup = setup_of(still_town, app_token="", signing_secret="s", webhook_secret="w", public_url=url)
        findings = await found(setup)

    assert "a forged request was not refused" in findings["Slack signature"].told
    assert "answers HTTP 200 to a request without the secret" in findings["Datadog webhook"].told


# -- the command ----------------------------------------------------------------------------------------------------


def in_environment(town: Town, environment: Environment, **changes: str | None) -> None:
    environment(
        {
            "SLACK_BOT_TOKEN": town.slack.bot_token,
            "SLACK_APP_TOKEN": town.slack.app_token,
            "SLACK_API_URL": town.slack.api_url,
            "DD_API_KEY": town.datadog.api_key,
            "DD_APP_KEY": town.datadog.app_key,
            "DD_API_URL": town.datadog.url,
            "DATABASE_URL": f"sqlite:///{town.folder}/bits.sqlite3",
        },
        **changes,
    )


async def test_the_command_prints_a_table_and_is_content(
    still_town: NoBot, environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    in_environment(still_town, environment)

    assert await asyncio.to_thread(main, ["doctor"]) == 0

    printed = capsys.readouterr().out
    assert "ok    Settings" in printed
    assert "ok    Slack token" in printed
    assert printed.rstrip().endswith("The bot can work.")


async def test_the_command_fails_where_something_fails_and_speaks_json(
    still_town: NoBot, environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    in_environment(still_town, environment, DD_APP_KEY="wrong-key")

    assert await asyncio.to_thread(main, ["doctor", "--json"]) == 1

    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False
    (failed,) = (check for check in told["checks"] if check["state"] == "fail")
    assert failed["name"] == "Datadog (default)"
    assert "wrong-key" not in json.dumps(told)


def test_settings_that_are_wrong_are_the_whole_answer(
    environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    environment({"SLACK_BOT_TOKEN": "xoxb-1"})

    assert main(["doctor"]) == 1

    printed = capsys.readouterr().out
    assert "fail  Settings" in printed
    assert "Fix the failures" in printed


def test_the_table_keeps_its_columns_and_its_width() -> None:
    told = as_table([ok("A", "fine"), warn("A long name", "word " * 60, "do " * 60)])

    lines = told.splitlines()
    assert max(map(len, lines)) <= 110
    assert lines[0] == "ok    A            fine"
    assert lines[1].startswith("warn  A long name  word")
    assert "-> do do" in told


def test_warnings_alone_are_no_failure() -> None:
    findings = [ok("A", "fine"), warn("B", "odd", "mend")]

    assert is_well(findings)
    assert json.loads(as_json(findings))["ok"] is True
