"""The commands. Each imports what it needs when it is called, so that none waits for the others' parts."""

import argparse
import asyncio
import gc
import json
import logging
import os
import platform
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Literal, TextIO

from bot.logs import JsonLines, TextLines, keep_bodies_out
from bot.wording import APP, version

logger = logging.getLogger(__name__)

STOP_WITHIN = 25.0  # seconds from the signal, whatever hangs
START_ENDS_WITHIN = 2.0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    if "run" not in options:
        parser.print_help()
        return 0
    try:
        return int(options.run(options))
    except KeyboardInterrupt:
        return 130


def _stopped_as_by_ctrl_c() -> None:
    """Whatever asks the sandbox to go: the bot, a process of its own, is taken along."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # in a shell's background it is ignored
    for name in _stops():
        signal.signal(name, lambda *_: signal.raise_signal(signal.SIGINT))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bits-bot", description=f"{APP}: Datadog investigations in Slack.")
    parser.add_argument("--version", action="version", version=f"{APP} {version()}")
    commands = parser.add_subparsers(metavar="COMMAND")
    _add(commands, "run", _run, "serve Slack, with settings from the environment or .env")
    doctor = _add(
        commands, "doctor", _doctor, "check settings, Slack, Datadog, database and addresses, and say what to mend"
    )
    doctor.add_argument("--json", action="store_true", help="for machines: the same as JSON")
    _add(commands, "migrate", _migrate, "bring the database to this version's schema and stop")
    _add(commands, "rekey", _rekey, "seal every stored secret with the first of BITS_ENCRYPTION_KEYS")
    has_sandbox = find_spec("bot.sandbox") is not None
    story, demo = (_story, _demo) if has_sandbox else (_no_sandbox, _no_sandbox)
    _add(commands, "story", story, "play one story in a local Slack and Datadog, and print it")
    trying = _add(commands, "demo", demo, "a page with a local Slack and a local Datadog, to try everything out")
    trying.add_argument("--no-page", action="store_true", help="in the terminal instead: the story, then a prompt")
    trying.add_argument("--http", action="store_true", help="Slack reaches the bot by signed HTTP, not by Socket Mode")
    trying.add_argument(
        "--host", default="127.0.0.1", help="address the page listens on; others than this machine may see it"
    )
    trying.add_argument("--port", type=_port, default=0, help="port the page listens on; 0 takes any free one")
    trying.add_argument("--no-open", action="store_true", help="do not open a browser")
    manifest = _add(commands, "manifest", _manifest, "print the Slack app's manifest")
    manifest.add_argument("--mode", choices=("socket", "http"), default="socket")
    manifest.add_argument("--url", help="the https address under which Slack reaches this bot, for --mode http")
    manifest.add_argument("--work-objects", action="store_true", help="with what BITS_WORK_OBJECTS needs in Slack")
    manifest.add_argument("--json", action="store_true", help="as JSON, without its comments")
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
    for name in _stops():
        signal.signal(name, lambda *_: sys.exit(0))  # until there is something to close
    with _uncollected():
        from bot.config import SettingsProblems, load_settings

    try:
        settings = load_settings()
    except SettingsProblems as error:
        if _wants_json():
            _set_up_logs("json", "INFO")
        return _complain("The bot can't start yet:", error.problems)
    _set_up_logs(settings.bits_log_format, settings.bits_log_level)
    where = "PostgreSQL" if settings.database_url.startswith("postgresql") else "SQLite"
    logger.info(
        "%s %s starts: %s mode, %s, Python %s", APP, version(), settings.slack_mode, where, platform.python_version()
    )
    for warning in settings.warnings:
        _say(f"Note: {warning}", logging.WARNING)

    with _uncollected():
        from bot.app import Bot
        from bot.connections import StartError
        from bot.storage.engine import DatabaseUnusableError

    try:
        asyncio.run(_serve(Bot(settings)))
    except (StartError, DatabaseUnusableError) as error:
        return _complain("The bot can't start:", [str(error)])
    return 0


def _stops() -> list[signal.Signals]:
    """What asks the bot to go. Started with nohup it stays when its terminal is closed."""
    hangs_up = [] if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else [signal.SIGHUP]
    return [signal.SIGTERM, *hangs_up]


@contextmanager
def _uncollected() -> Iterator[None]:
    """What is imported stays: looked through again and again while it comes, it takes a sixth of a start."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _wants_json() -> bool:
    """Where the settings as a whole can't be read, this one may be."""
    from bot.config import SettingsProblems, what_is_set

    try:
        return what_is_set(Path(".env")).get("BITS_LOG_FORMAT", "").casefold() == "json"
    except (SettingsProblems, OSError, UnicodeDecodeError):
        return os.environ.get("BITS_LOG_FORMAT", "").casefold() == "json"


def _set_up_logs(form: str, level: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    root = logging.getLogger()
    for other in [each for each in root.handlers if type(each) is logging.StreamHandler]:
        root.removeHandler(other)  # what a tracer has hung up there stays
    root.addHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(True)
    keep_bodies_out()
    if form == "json":
        sys.excepthook = _log_the_end
        threading.excepthook = _log_uncaught
        sys.unraisablehook = _log_uncaught


def _log_the_end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    logger.critical("the bot ends with an error", exc_info=(kind, error, trace))


def _log_uncaught(told: "threading.ExceptHookArgs | sys.UnraisableHookArgs") -> None:
    error = told.exc_value
    logger.error("an error that nobody caught", exc_info=error if isinstance(error, Exception) else None)


def _writes_json() -> bool:
    return any(isinstance(handler.formatter, JsonLines) for handler in logging.getLogger().handlers)


def _say(sentence: str, level: int = logging.INFO, *, to: TextIO | None = None) -> None:
    """To the person at the terminal, or to the machine that reads the log: nothing else may stand between its lines."""
    if _writes_json():
        logger.log(level, "%s", sentence)
    else:
        print(sentence, file=to or sys.stderr, flush=True)


async def _serve(bot: "Bot") -> None:  # type: ignore[name-defined]  # noqa: F821
    stop = asyncio.Event()

    def asked_to_stop() -> None:
        if not stop.is_set():
            _leave_within(STOP_WITHIN)
        stop.set()

    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, *_stops()):
        loop.add_signal_handler(name, asked_to_stop)
    starting, stopped = asyncio.create_task(bot.start()), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            _say(f"{APP} is ready.")
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
        _once(1.0, os._exit, 1)  # not even a log that hangs puts it off
        _say(f"{APP} did not stop within {seconds:.0f} s and leaves what it holds to its leases.", logging.ERROR)
        os._exit(1)

    _once(seconds, leave)


def _once(after: float, act: Callable[..., object], *arguments: object) -> None:
    timer = threading.Timer(after, act, arguments)
    timer.daemon = True
    timer.start()


def _complain(headline: str, problems: Sequence[str]) -> int:
    if _writes_json():
        for problem in problems:
            logger.error("%s %s", headline, problem)
    else:
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
    from bot.connections import datadog_clients, way_out
    from bot.doctor.model import DatadogKeys, Setup

    def plain(secret: "SecretStr | None") -> str:  # type: ignore[name-defined]  # noqa: F821
        return secret.get_secret_value() if secret else ""

    keys = plain(settings.dd_api_key), plain(settings.dd_app_key)
    return Setup(
        slack_api_url=settings.slack_api_url,
        database_url=settings.database_url,
        http_address=f"http://{settings.bits_http_host}:{settings.bits_http_port}",
        client_of=datadog_clients(settings),
        way=way_out(settings),
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
    from bot.config import FOR_THE_DATABASE, SettingsProblems, load_settings
    from bot.storage.engine import Database, DatabaseUnusableError

    try:
        settings = load_settings(only=FOR_THE_DATABASE)
        if settings.bits_log_format == "json":
            _set_up_logs("json", settings.bits_log_level)
        asyncio.run(_open_and_close(Database(settings.database_url)))
    except SettingsProblems as error:
        return _complain("The settings can't be used:", error.problems)
    except DatabaseUnusableError as error:
        return _complain("The database can't be changed:", [str(error)])
    _say("The database has this version's schema.", to=sys.stdout)
    return 0


async def _open_and_close(database: "Database") -> None:  # type: ignore[name-defined]  # noqa: F821
    await database.open()
    await database.close()


def _rekey(_options: argparse.Namespace) -> int:
    from bot.config import FOR_THE_DATABASE, SettingsProblems, load_settings
    from bot.storage.encryption import Encryption, EncryptionError
    from bot.storage.engine import Database, DatabaseUnusableError

    try:
        settings = load_settings(only=FOR_THE_DATABASE)
        if settings.bits_log_format == "json":
            _set_up_logs("json", settings.bits_log_level)
        encryption = Encryption([key.get_secret_value() for key in settings.encryption_keys])
        unreadable = asyncio.run(_reseal(Database(settings.database_url), encryption))
    except SettingsProblems as error:
        return _complain("The settings can't be used:", error.problems)
    except (EncryptionError, DatabaseUnusableError) as error:
        return _complain("Nothing was changed:", [str(error)])
    if unreadable:
        missing = f"No key in BITS_ENCRYPTION_KEYS opens {unreadable} of the stored secrets."
        return _complain(missing, ["Put the key that sealed them behind the first one and run this again."])
    _say("Every stored secret is sealed with the first key; the others may go.", to=sys.stdout)
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
        _say(
            f"{table.table}: {table.changed} sealed anew, {table.current} sealed with the first key before, "
            f"{table.unreadable} unreadable",
            to=sys.stdout,
        )
    return sum(table.unreadable for table in told)


def _manifest(options: argparse.Namespace) -> int:
    from bot.manifest import as_yaml, manifest

    try:
        if options.json:
            print(json.dumps(manifest(options.mode, options.url, work_objects=options.work_objects)))
        else:
            print(as_yaml(options.mode, options.url, work_objects=options.work_objects), end="")
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


def _port(word: str) -> int:
    if not word.isdecimal() or int(word) > 65535:
        raise argparse.ArgumentTypeError(f"{word!r} is no port: it is a number from 0 to 65535")
    return int(word)


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

    _stopped_as_by_ctrl_c()
    return int(asyncio.run(play()))


def _demo(options: argparse.Namespace) -> int:
    from bot.manifest import manifest
    from bot.sandbox.demo import play_and_stay, show_page

    _stopped_as_by_ctrl_c()
    mode: Literal["socket", "http"] = "http" if options.http else "socket"
    described = manifest(mode, "https://bits.example.com" if options.http else None)
    if options.no_page:
        return int(asyncio.run(play_and_stay(mode, described)))
    return int(
        asyncio.run(show_page(mode, described, host=options.host, port=options.port, open_browser=not options.no_open))
    )
