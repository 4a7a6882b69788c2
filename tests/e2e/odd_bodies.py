"""Bodies as no Slack sends them: what it really sends, spoilt in one way or another, put through each door of a bot.

Each must be answered with 2xx or 4xx, and cost one line of the log at most, without a traceback.
"""

import copy
import hmac
import json
import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

from aiohttp import ClientSession, DummyCookieJar
from hypothesis import HealthCheck, Phase, settings

from bot.app import Bot
from bot.cases import views as case_views
from bot.cases.action_views import ACTION_AGAIN
from bot.home import view as home_view
from bot.insights import form_views
from bot.investigations import (
    card_view,
    conclusions_view,
    follow_up,
    questions,
    report_window,
    subject_view,
    vote_views,
)
from bot.orgs import alert_setup_form, connect_form
from bot.orgs.questions import CHOOSE
from bot.rules import no_start, settings_view
from bot.web.bodies import MOST_BYTES
from bot.web.datadog_webhook import HEADER, TEMPLATE
from tests.e2e.install_town import InstallTown
from tests.e2e.town import Town

JSON = dict[str, Any]
DOORS = ("events", "actions", "submissions", "shortcuts", "commands", "options")

_ACTIONS = (
    *(case_views.NEW, case_views.ANOTHER, case_views.ANYWAY, case_views.RETRY, case_views.EDIT),
    *(case_views.PROJECT, case_views.TYPE, ACTION_AGAIN, "case:status", "case:priority", "case:assign"),
    *("case:comment", "alert:mute", "alert:unmute", "alert:tags", "alert:open", home_view.CHANNEL_SETTINGS),
    *(subject_view.INVESTIGATE_ACTION, subject_view.CREATE_CASE, subject_view.ATTACH, no_start.START_ANYWAY),
    *(card_view.RUN_AGAIN, card_view.KEEP_WAITING_ACTION, card_view.START_AGAIN_ACTION, card_view.OPEN),
    *(
        conclusions_view.DETAILS_ACTION,
        vote_views.FEEDBACK,
        follow_up.ACTION,
        vote_views.HELPFUL,
        conclusions_view.CREATE_CASE,
    ),
    *(conclusions_view.ATTACH, report_window.PAGE, connect_form.OPEN, connect_form.REPLACE_KEYS),
    *(
        connect_form.DISCONNECT,
        alert_setup_form.OPEN,
        CHOOSE,
        form_views.BEGIN,
        form_views.ADD,
        form_views.BY_HAND,
        form_views.FORGET,
    ),
    *(form_views.ADD_BY_HAND, form_views.REMOVE, form_views.BACK, form_views.REFRESH, form_views.CASE_PICKED),
)
_WINDOWS = (
    *(
        case_views.FORM,
        case_views.COMMENT_FORM,
        questions.CALLBACK,
        connect_form.CALLBACK,
        alert_setup_form.CALLBACK,
        settings_view.CALLBACK,
    ),
    *(form_views.CALLBACK_FORM, form_views.CALLBACK_REMOVAL, form_views.CALLBACK_CONFIRM, form_views.CALLBACK_RESULT),
)
_SEARCHES = (
    case_views.PROJECT,
    settings_view.GROUPS,
    settings_view.CASE_PROJECT,
    settings_view.CASE_TYPE,
    form_views.CASE_PICKED,
)
_SHORTCUTS = ("investigate_message", "create_case_from_message", "attach_message_to_case", "comment_on_case")
_EVENTS = ("message", "app_mention", "app_home_opened", "app_uninstalled", "tokens_revoked", "team_access_granted")
_ODD: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 1e308, 10**30, "", "0", "\0", "a\0b", "\ud800", "\udfff words", "x" * 300, "🙂"),
    *([], [[]], [None], [0], ["x"], {}, {"id": 5}, {"id": {}}, {"id": "T\0"}, {"text": []}, {"type": {}}),
    *("[]", "{}", '{"case": [], "channel": {}}', '["C1", 1e999, {}]', "9" * 5000, '{"investigation": 1e400}'),
)


async def real_bodies(town: Town) -> dict[str, list[JSON]]:
    """What the local Slack sends while people use the bot, by door."""
    alert, ana = await town.alert(), town.ana
    town.datadog.add_project("CASEM", "Case Management")
    await ana.shortcut("create_case_from_message", on=alert.message)
    await ana.waits_for_modal("Project")
    await ana.close(everything=True)
    await ana.mention("help", in_=town.channel)
    await ana.command("/bits", "help", in_=town.channel)
    await ana.open_home()
    await ana.command("/bits", "attach", in_=town.channel)
    window = await ana.waits_for_modal("Paste Datadog links")
    await ana.type_in("Case", "disk")
    await ana.fill({"Paste Datadog links": f"{town.datadog.app_url}/monitors/1"})
    await ana.press("Add")
    submission = ana.base_payload("view_submission") | {"view": window.view.to_json(), "response_urls": []}
    by_kind: dict[str, list[JSON]] = {"view_submission": [submission]}
    for delivered in town.slack.deliveries:
        kind = "command" if delivered.kind == "slash_commands" else delivered.payload["type"]
        by_kind.setdefault(kind, []).append(delivered.payload)
    by_kind = copy.deepcopy(by_kind)  # the local Slack goes on with its own
    return {
        "events": [_as_event(each, kind) for kind in _EVENTS for each in by_kind["event_callback"]],
        "actions": [_as_action(each, action_id) for action_id in _ACTIONS for each in by_kind["block_actions"]],
        "submissions": [_as_window(each, name) for name in _WINDOWS for each in by_kind["view_submission"]],
        "shortcuts": [each | {"callback_id": name} for name in _SHORTCUTS for each in by_kind["message_action"]],
        "commands": by_kind["command"],
        "options": [each | {"action_id": name} for name in _SEARCHES for each in by_kind["block_suggestion"]],
    }


def _as_event(payload: JSON, kind: str) -> JSON:
    return payload | {"event": payload["event"] | {"type": kind, "tab": "home", "team_ids": ["T1"]}}


def _as_window(payload: JSON, callback_id: str) -> JSON:
    return payload | {"view": payload["view"] | {"callback_id": callback_id}}


def _as_action(payload: JSON, action_id: str) -> JSON:
    return payload | {"actions": [payload["actions"][0] | {"action_id": action_id, "value": "1"}]}


# -- spoiling -------------------------------------------------------------------------------------------------------


def spoilt(payload: JSON, dice: Random) -> Any:
    """The same with a few things changed somewhere."""
    whole: list[Any] = [copy.deepcopy(payload)]
    for _ in range(dice.choice((1, 1, 1, 2, 5))):
        holder, key = _somewhere(whole, dice)
        match dice.randrange(6):
            case 0 if isinstance(holder, dict):
                del holder[key]
            case 1:
                holder[key] = [holder[key]]
            case 2:
                holder[key] = {"id": holder[key], "value": holder[key]}
            case 3 if isinstance(holder, dict):
                holder[dice.choice(("event", "user", "team", "view", "actions", "authorizations", "a\0"))] = _odd(dice)
            case _:
                holder[key] = _odd(dice)
    return whole[0] if whole else None


def _odd(dice: Random) -> Any:
    value = copy.deepcopy(dice.choice(_ODD))
    for _ in range(dice.choice((0, 0, 0, 0, 80))):
        value = dice.choice(([value], {"event": value}, {"blocks": [value]}))
    return value


def _somewhere(whole: list[Any], dice: Random) -> tuple[Any, Any]:
    holder: Any = whole
    key: Any = 0
    while isinstance(holder[key], dict | list) and holder[key] and dice.random() < 0.8:
        holder = holder[key]
        key = dice.choice(list(holder)) if isinstance(holder, dict) else dice.randrange(len(holder))
    return holder, key


def as_body(door: str, payload: Any, dice: Random) -> tuple[bytes, str]:
    """How it travels over HTTP, now and then broken there as well."""
    text = json.dumps(payload)
    if door == "events":
        body, kind = text.encode(), "application/json"
    elif door == "commands" and isinstance(payload, dict):
        fields = {name: value if isinstance(value, str) else json.dumps(value) for name, value in payload.items()}
        body, kind = urlencode(fields, errors="surrogatepass").encode(), "application/x-www-form-urlencoded"
    else:
        body, kind = b"payload=" + quote(text).encode(), "application/x-www-form-urlencoded"
    return _broken(body, dice), dice.choice((kind,) * 6 + ("application/json", "text/plain", "é/;", ""))


def _broken(body: bytes, dice: Random) -> bytes:
    match dice.randrange(16):
        case 0:
            return body[: dice.randrange(len(body) + 1)]
        case 1:
            at = dice.randrange(len(body) + 1)
            return (
                body[:at] + dice.choice((b"\xff", b"\0", b"%00", b"%ff", b"}", b'"', b"&payload=1", b"&=&")) + body[at:]
            )
        case 2:
            return dice.choice((b"[" * 9_000, b'{"a":' * 9_000, b"payload=" + b"[" * 9_000, b"&a" * 5_000, b"NaN", b""))
        case 3:
            return dice.choice(
                (b"payload=1", b"payload=[]", b"[]", b"{}", b"payload=", b"ssl_check=1", b"x" * MOST_BYTES)
            )
        case _:
            return body


# -- sending --------------------------------------------------------------------------------------------------------


class Listening(logging.Handler):
    """What is said since it was asked last."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.said: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record)

    def since(self) -> list[logging.LogRecord]:
        said, self.said = self.said, []
        return said


@contextmanager
def listening() -> Iterator[Listening]:
    heard, root = Listening(), logging.getLogger()
    level = root.level
    root.addHandler(heard)
    root.setLevel(logging.INFO)
    try:
        yield heard
    finally:
        root.removeHandler(heard)
        root.setLevel(level)


# what a request that fits leads to later is told by the rooms and by those who ask Slack
_DOOR_LOGS = r"bot\.(web|connections|slack\.(requests|socket|listeners|replies))|slack_|aiohttp|asyncio"


def _is_true(record: logging.LogRecord) -> bool:
    """An event that survived its spoiling: the app was removed."""
    return record.name == "bot.workspaces.departures"


def complaints(said: list[logging.LogRecord]) -> list[str]:
    """What must not be in the log, and what is too much for one request."""
    bad = [record for record in said if record.exc_info or (record.levelno >= logging.ERROR and not _is_true(record))]
    of_doors = [record for record in said if re.match(_DOOR_LOGS, record.name)]
    return [record.getMessage() for record in (bad or (of_doors if len(of_doors) > 1 else []))]


class OverHttp:
    def __init__(self, bot: Bot, signing_secret: str, session: ClientSession, heard: Listening) -> None:
        self._bot = bot
        self._secret = signing_secret.encode()
        self._session = session
        self._heard = heard

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._bot.port}"

    async def send(self, body: bytes, content_type: str, *, is_signed: bool) -> int:
        headers = {"Content-Type": content_type}
        if is_signed:
            stamp = f"{time.time():.0f}"
            told = f"v0:{stamp}:".encode() + body
            signature = hmac.new(self._secret, told, sha256).hexdigest()
            headers |= {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={signature}"}
        return await self._answered("POST", "/slack/events", data=body, headers=headers)

    async def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None) -> int:
        return await self._answered(method, path, headers=headers, data=body)

    async def _answered(self, method: str, path: str, **more: Any) -> int:
        self._heard.since()
        async with self._session.request(method, f"{self.address}{path}", allow_redirects=False, **more) as answer:
            status, text = answer.status, await answer.text()
        await self._bot._tasks.finish(30)
        assert status < 500, f"{status} to {more}"
        assert "Traceback" not in text
        assert complaints(self._heard.since()) == [], more
        return status


_ORGS = ("default", "", "%00", "%ff", "x" * 70, "default%20", "../slack/events", "🙂")
_QUERIES = ("", "access_denied", "unreachable", "no_state", "\0", "%ff", "é", "x" * 600, "%ED%A0%80", "[]", "&&", "=")


def webhook_request(secret: str, notice: JSON, dice: Random) -> tuple[str, str, JSON, bytes]:
    """A notification of Datadog's, spoilt in its path, its headers or its body."""
    headers = {
        "Content-Type": dice.choice(("application/json", "text/plain", "application/x-www-form-urlencoded", "/"))
    }
    headers |= dice.choice(({}, {HEADER: "wrong"}, *({HEADER: secret},) * 6))
    headers |= dice.choice(({}, {}, {}, {"Authorization": "Basic é"}, {"Content-Encoding": "gzip"}))
    org = dice.choice(("default",) * 6 + _ORGS)
    body = _broken(json.dumps(spoilt(notice, dice)).encode(), dice)
    return dice.choice(("POST",) * 9 + ("PUT",)), f"/datadog/webhook/{org}", headers, body


def page_request(dice: Random) -> tuple[str, str, JSON, None]:
    """A visitor of the install pages with an address and cookies of her own making."""
    asked = "&".join(f"{name}={dice.choice(_QUERIES)}" for name in ("error", "state", "code") if dice.random() < 0.6)
    cookie = dice.choice(("", "bits_bot_install=" + "x" * 43, "bits_bot_install=é", "bits_bot_install=;;=", "=\x01"))
    path = dice.choice(
        ("/slack/install", "/slack/oauth_redirect", "/slack/oauth_redirect", "/slack/oauth_redirect/%00")
    )
    headers = {"Cookie": cookie.encode("ascii", "backslashreplace").decode()} if cookie.isprintable() and cookie else {}
    return dice.choice(("GET",) * 9 + ("HEAD", "POST")), f"{path}?{asked}", headers, None


FRAMES = (
    "",
    "[]",
    "{",
    "{}",
    "null",
    '"{}"',
    "[" * 9_000,
    '{"type":[]}',
    '{"type":"hello","envelope_id":{}}',
    '{"type":"\\ud83d"}',
    "NaN",
)


class OverTheSocket:
    def __init__(self, town: Town, heard: Listening) -> None:
        self._town = town
        self._heard = heard

    async def send(self, door: str, payload: Any, dice: Random) -> None:
        """Answered means: acknowledged."""
        kind = {"events": "events_api", "commands": "slash_commands"}.get(door, "interactive")
        more: JSON = dice.choice(({}, {}, {}, {"type": 5}, {"retry_attempt": []}, {"accepts_response_payload": "x"}))
        self._heard.since()
        await self._town.slack.sockets.send(kind, payload, more=more, seconds=30)
        await self._town.bot._tasks.finish(30)
        assert complaints(self._heard.since()) == [], payload

    async def say(self, words: str) -> None:
        """Something that is no envelope, and one to see that the socket lives."""
        self._heard.since()
        await self._town.slack.sockets.connections[0].socket.send_str(words)
        await self._town.slack.sockets.send("events_api", {"type": "nothing"}, more={}, seconds=30)
        assert len(self._town.slack.sockets.connections) == 1
        said = self._heard.since()
        assert not [record for record in said if record.exc_info or record.levelno >= logging.ERROR], words[:80]


# -- all the ways in ----------------------------------------------------------------------------------------------------

SECRET = "a-long-shared-secret-of-the-webhook"
NOTICE = TEMPLATE | {"monitor_id": "1", "event_id": "2", "transition": "Triggered"}


class Doors:
    """No dataclass: hypothesis would write down all of it."""

    def __init__(self, bodies: dict[str, list[JSON]], http: OverHttp, socket: OverTheSocket | None = None) -> None:
        self.bodies = bodies
        self.http = http
        self.socket = socket


@dataclass(frozen=True, slots=True)
class Way:
    where: str  # http, socket or install: which bot it leads into
    send: Callable[[Doors, Random], Awaitable[None]]


def _posted(door: str, *, is_signed: bool = True) -> Way:
    async def send(doors: Doors, dice: Random) -> None:
        body, kind = as_body(door, spoilt(dice.choice(doors.bodies[door]), dice), dice)
        status = await doors.http.send(body, kind, is_signed=is_signed)
        assert is_signed or status == 401

    return Way("http", send)


def _enveloped(door: str) -> Way:
    async def send(doors: Doors, dice: Random) -> None:
        assert doors.socket is not None
        if dice.random() < 0.05:
            await doors.socket.say(dice.choice(FRAMES))
        await doors.socket.send(door, spoilt(dice.choice(doors.bodies[door]), dice), dice)

    return Way("socket", send)


async def _to_webhook(doors: Doors, dice: Random) -> None:
    await doors.http.ask(*webhook_request(SECRET, NOTICE, dice))


async def _to_pages(doors: Doors, dice: Random) -> None:
    await doors.http.ask(*page_request(dice))


WAYS: dict[str, Way] = {
    **{f"{door} over HTTP": _posted(door) for door in DOORS},
    **{f"{door} over the socket": _enveloped(door) for door in DOORS},
    "unsigned": _posted("actions", is_signed=False),
    "webhook": Way("http", _to_webhook),
    "install pages": Way("install", _to_pages),
}


@asynccontextmanager
async def doors_of(where: str, folder: Path, **more: Any) -> AsyncIterator[Doors]:
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession(cookie_jar=DummyCookieJar()))
        if where == "install":
            installs = await stack.enter_async_context(InstallTown(f"sqlite+aiosqlite:///{folder}/bits.sqlite3"))
            bot, heard = await installs.start_bot(), stack.enter_context(listening())
            yield Doors({}, OverHttp(bot, "", session, heard))
        else:
            town = await stack.enter_async_context(Town(folder, mode=where, bits_webhook_secret=SECRET, **more))
            bodies = await real_bodies(town)
            heard = stack.enter_context(listening())
            http = OverHttp(town.bot, town.slack.signing_secret, session, heard)
            yield Doors(bodies, http, OverTheSocket(town, heard) if where == "socket" else None)


def sent(times: int) -> settings:
    """The same examples each time. Each leaves its traces in one bot, so that none is tried again."""
    return settings(
        max_examples=times,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    )
