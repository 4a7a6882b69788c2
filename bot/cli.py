"""The commands. Each imports what it needs when it is called, so that none waits for the others' parts."""

import argparse
import asyncio
import gc
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from bot.logs import keep_bodies_out
from bot.wording import APP

STOP_WITHIN = 25.0  # seconds from the signal, whatever hangs
START_ENDS_WITHIN = 2.0


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bits-bot", description=f"{APP}: Datadog investigations in Slack.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add(commands, "run", _run, "serve Slack, with settings from the environment or .env")
    doctor = _add(
        commands, "doctor", _doctor, "check settings, Slack, Datadog, database and addresses, and say what to mend"
    )
    doctor.add_argument("--json", action="store_true", help="for machines: the same as JSON")
    _add(commands, "migrate", _migrate, "bring the database to this version's schema and stop")
    _add(commands, "rekey", _rekey, "seal every stored secret with the first of BITS_ENCRYPTION_KEYS")
    has_sandbox = find_spec("bot.sandbox") is not None
    _add(
        commands,
        "story",
        _story if has_sandbox else _no_sandbox,
        "play one story in a local Slack and Datadog, and print it",
    )
    _add(
        commands,
        "demo",
        _demo if has_sandbox else _no_sandbox,
        "like story, then keep everything running to try it out",
    )
    manifest = _add(commands, "manifest", _manifest, "print the Slack app's manifest")
    manifest.add_argument("--mode", choices=("socket", "http"), default="socket")
    manifest.add_argument("--url", help="the https address under which Slack reaches this bot, for --mode http")
    webhook = _add(commands, "webhook-template", _webhook_template, "print what to put into Datadog's webhook")
    webhook.add_argument("--url", help="the https address under which Datadog reaches this bot")
    webhook.add_argument(
        "--org", default="default", metavar="ID", type=_org_id, help="one connected in Slack; its id stands in Home"
    )
    return parser


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, run: object, text: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run)
    return parser


def _run(_options: argparse.Namespace) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # until there is something to close
    with _uncollected():
        from bot.config import SettingsProblems, load_settings

    try:
        settings = load_settings()
    except SettingsProblems as error:
        return _complain("The bot can't start yet:", error.problems)
    _set_up_logs(settings.bits_log_format, settings.bits_log_level)
    for warning in settings.warnings:
        print(f"Note: {warning}", file=sys.stderr)

    with _uncollected():
        from bot.app import Bot
        from bot.connections import StartError
        from bot.storage.engine import DatabaseUnusableError

    try:
        asyncio.run(_serve(Bot(settings)))
    except (StartError, DatabaseUnusableError) as error:
        return _complain("The bot can't start:", [str(error)])
    return 0


@contextmanager
def _uncollected() -> Iterator[None]:
    """What is imported stays: looked through again and again while it comes, it takes a sixth of a start."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


class JsonLines(logging.Formatter):
    """The log for machines. Bodies, tokens and keys never get there, nor into the one for people."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def _set_up_logs(form: str, level: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    handler.setFormatter(JsonLines() if form == "json" else text)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    keep_bodies_out()


async def _serve(bot: "Bot") -> None:  # type: ignore[name-defined]  # noqa: F821
    stop = asyncio.Event()

    def asked_to_stop() -> None:
        if not stop.is_set():
            _leave_within(STOP_WITHIN)
        stop.set()

    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, asked_to_stop)
    starting, stopped = asyncio.create_task(bot.start()), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            print(f"{APP} is ready.", file=sys.stderr, flush=True)
            await stopped
    finally:
        stopped.cancel()
        if not starting.done():
            starting.cancel()
            await asyncio.wait({starting}, timeout=START_ENDS_WITHIN)
        await bot.stop()


def _leave_within(seconds: float) -> None:
    """Whatever hangs, a library's thread or the loop itself: a leave is not put off by it."""

    def leave() -> None:
        print(f"{APP} did not stop within {seconds:.0f} s and leaves what it holds to its leases.", file=sys.stderr)
        os._exit(1)

    timer = threading.Timer(seconds, leave)
    timer.daemon = True
    timer.start()


def _complain(headline: str, problems: Sequence[str]) -> int:
    print(headline, *(f"  - {problem}" for problem in problems), sep="\n", file=sys.stderr)
    return 2


def _doctor(options: argparse.Namespace) -> int:
    from bot.config import SettingsProblems, load_settings
    from bot.doctor.examination import examine
    from bot.doctor.model import as_json, as_table, is_well, of_settings

    try:
        settings = load_settings()
    except SettingsProblems as error:
        findings = of_settings(error.problems, ())
    else:
        findings = [*of_settings((), settings.warnings), *asyncio.run(examine(_setup(settings)))]
    print(as_json(findings) if options.json else as_table(findings))
    return 0 if is_well(findings) else 1


def _setup(settings: "Settings") -> "Setup":  # type: ignore[name-defined]  # noqa: F821
    from bot.datadog.client import Datadog
    from bot.doctor.model import DatadogKeys, Setup

    def plain(secret: "SecretStr | None") -> str:  # type: ignore[name-defined]  # noqa: F821
        return secret.get_secret_value() if secret else ""

    keys = plain(settings.dd_api_key), plain(settings.dd_app_key)
    return Setup(
        slack_api_url=settings.slack_api_url,
        database_url=settings.database_url,
        http_address=f"http://{settings.bits_http_host}:{settings.bits_http_port}",
        client_of=lambda site, *pair: Datadog(settings.dd_api_url or site.api_url, *pair, app_url=site.app_url),
        bot_token=plain(settings.slack_bot_token),
        app_token=plain(settings.slack_app_token),
        signing_secret=plain(settings.slack_signing_secret),
        uses_oauth=settings.uses_oauth,
        public_url=settings.bits_public_url or "",
        webhook_secret=plain(settings.bits_webhook_secret),
        encryption_keys=tuple(key.get_secret_value() for key in settings.encryption_keys),
        datadog=DatadogKeys(settings.site, *keys) if all(keys) else None,
        dd_workspaces=settings.dd_workspaces,
        allowed_workspaces=settings.bits_allowed_workspaces,
    )


def _migrate(_options: argparse.Namespace) -> int:
    from bot.config import SettingsProblems, load_settings
    from bot.storage.engine import Database, DatabaseUnusableError

    try:
        settings = load_settings()
        asyncio.run(_open_and_close(Database(settings.database_url)))
    except SettingsProblems as error:
        return _complain("The settings can't be used:", error.problems)
    except DatabaseUnusableError as error:
        return _complain("The database can't be changed:", [str(error)])
    print("The database has this version's schema.")
    return 0


async def _open_and_close(database: "Database") -> None:  # type: ignore[name-defined]  # noqa: F821
    await database.open()
    await database.close()


def _rekey(_options: argparse.Namespace) -> int:
    from bot.config import SettingsProblems, load_settings
    from bot.storage.encryption import Encryption, EncryptionError
    from bot.storage.engine import Database, DatabaseUnusableError

    try:
        settings = load_settings()
        encryption = Encryption([key.get_secret_value() for key in settings.encryption_keys])
        unreadable = asyncio.run(_reseal(Database(settings.database_url), encryption))
    except SettingsProblems as error:
        return _complain("The settings can't be used:", error.problems)
    except (EncryptionError, DatabaseUnusableError) as error:
        return _complain("Nothing was changed:", [str(error)])
    if unreadable:
        missing = f"No key in BITS_ENCRYPTION_KEYS opens {unreadable} of the stored secrets."
        return _complain(missing, ["Put the key that sealed them behind the first one and run this again."])
    print("Every stored secret is sealed with the first key; the others may go.")
    return 0


async def _reseal(database: "Database", encryption: "Encryption") -> int:  # type: ignore[name-defined]  # noqa: F821
    """Prints what became of each table's secrets; returns how many no key opens."""
    import bot.schema  # noqa: F401  every table, so that no secret is overlooked
    from bot.storage.encryption import rekey

    await database.open()
    try:
        told = await rekey(database, encryption)
    finally:
        await database.close()
    for table in told:
        print(
            f"{table.table}: {table.changed} sealed anew, {table.current} sealed with the first key before, "
            f"{table.unreadable} unreadable"
        )
    return sum(table.unreadable for table in told)


def _manifest(options: argparse.Namespace) -> int:
    from bot.manifest import as_yaml

    try:
        print(as_yaml(options.mode, options.url), end="")
    except ValueError as error:
        return _complain("No manifest:", [str(error)])
    return 0


def _org_id(word: str) -> str:
    from bot.web.datadog_webhook import ORG_ID

    if not ORG_ID.fullmatch(word):
        raise argparse.ArgumentTypeError(
            f"{word!r} is no organisation's id: Home in Slack shows it, as in acme-k7m2p9qx"
        )
    return word


def _webhook_template(options: argparse.Namespace) -> int:
    from bot.config import what_is_set
    from bot.web.datadog_webhook import instructions

    # however few of the other settings are filled in by now
    url = options.url or what_is_set(Path(".env")).get("BITS_PUBLIC_URL", "")
    print(instructions(url.rstrip("/"), options.org), end="")
    return 0


def _no_sandbox(_options: argparse.Namespace) -> int:
    return _complain("There is no sandbox in this installation:", ["take a checkout, and `make demo` or `make story`."])


def _story(_options: argparse.Namespace) -> int:
    from bot.sandbox.story import play

    return int(asyncio.run(play()))


def _demo(_options: argparse.Namespace) -> int:
    from bot.sandbox.demo import play_and_stay

    return int(asyncio.run(play_and_stay()))
