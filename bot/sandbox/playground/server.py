"""The page's own address: static files, the state of one person, a stream of what changes, and acts. Loopback by default."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from importlib.resources import files
from typing import Any, Self

from aiohttp import web

from bot.sandbox.playground.control import Control, Refused
from bot.sandbox.playground.environment import BotDiedError, Environment, Mode
from bot.sandbox.playground.gestures import Gestures
from bot.sandbox.playground.journal import Journal
from bot.sandbox.playground.opening import open_story
from bot.sandbox.playground.seed import Stage
from bot.sandbox.playground.sentences import sentence
from bot.sandbox.playground.snapshot import snapshot
from bot.sandbox.slack import NeverHappened, NotAcknowledged, NotOnScreen, Person
from bot.sandbox.slack.errors import ApiError

JSON = dict[str, Any]
Act = Callable[[JSON], Awaitable[JSON]]

MOST_BYTES = 1024 * 1024
LOOK_AGAIN_SECONDS = 0.5  # runs go on by the clock alone, of which nobody is told
SETTLE_SECONDS = 0.03  # what changes together is sent together
ALIVE_SECONDS = 15.0
HEADER = "X-Playground"
SECURITY = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_UNTOLD = ("fill", "follow_link", "set_outcome", "set_speed")  # no call of anybody follows from them
_KINDS = {
    "html": "text/html",
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
    "png": "image/png",
}


class Playground:
    """One set of Slack, Datadog and bot after another: a reset ends one and begins the next behind the same page."""

    def __init__(self, mode: Mode = "socket", manifest: Mapping[str, Any] | None = None) -> None:
        self._mode: Mode = mode
        self._manifest = manifest
        self._stack = AsyncExitStack()
        self._resetting = asyncio.Lock()
        self.changed = asyncio.Event()
        self.beginnings = 0
        self.stage: Stage
        self.journal: Journal
        self.control: Control

    async def __aenter__(self) -> Self:
        await self._begin()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def reset(self) -> None:
        """Starts over, also when the page that asked for it is closed meanwhile."""
        async with self._resetting:
            await self._stack.aclose()
            await self._begin()
        self.notify()

    async def _begin(self) -> None:
        environment = Environment(self._mode, self._manifest)
        stage = Stage(environment, self._manifest)
        async with AsyncExitStack() as stack:
            journal = Journal(stage.slack, stage.datadog)
            control = Control(stage, journal)
            self.stage, self.journal, self.control = stage, journal, control
            self.beginnings += 1
            stage.datadog.journal.listeners.append(self.notify)
            await stack.enter_async_context(environment)
            stack.push_async_callback(control.close)
            watching = asyncio.create_task(self._watch(stage))
            stack.push_async_callback(_cancelled, watching)
            await open_story(stage, control, journal)
            self._stack = stack.pop_all()

    async def _watch(self, stage: Stage) -> None:
        while True:
            await stage.slack.changes.next()
            self.notify()

    def notify(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    def person(self, user_id: str) -> Person:
        """The first of them where nobody is named; people keep their ids through a reset."""
        if not user_id:
            return next(iter(self.stage.people.values()))
        person = self.stage.people.get(user_id)
        if person is None:
            raise Refused("There is nobody with this id.")
        return person

    def state(self, person: Person) -> JSON:
        return snapshot(self.stage, self.journal, self.control, person)

    async def act(self, asked: JSON) -> JSON:
        """Does what `kind` says as that person; what it needs stands in `args`."""
        kind, args = str(asked.get("kind")), asked.get("args") or {}
        if not isinstance(args, dict):
            raise Refused("The page sent something that can't be read.")
        if self._resetting.locked():
            raise Refused("The playground is starting over. One moment.")
        if kind == "reset":
            await self.reset()
            return {}
        person = self.person(str(asked.get("as") or ""))
        act = self._acts(person).get(kind)
        if act is None:
            raise Refused(f"There is nothing called {kind[:40]!r} to do here.")
        if kind not in _UNTOLD:
            self.journal.begin(sentence(person, kind, args, self.stage))
        done = await act(args)
        self.notify()
        return done

    def _acts(self, person: Person) -> dict[str, Act]:
        hands = Gestures(self.stage, person)
        slack = (
            hands.say,
            hands.command,
            hands.shortcut,
            hands.click,
            hands.choose,
            hands.fill,
            hands.search,
            hands.submit,
            hands.close,
            hands.open_home,
            hands.react,
            hands.invite_app,
            hands.join,
            hands.follow_link,
        )
        sandbox = (
            self._fire,
            self._change_alert,
            self._set_outcome,
            self._set_speed,
            self._finish,
            self._case_change,
            self._fault,
            self._bot,
        )
        guarded = {act.__name__: self._while_slack_is_up(act) for act in slack}
        return guarded | {act.__name__.removeprefix("_"): act for act in sandbox}

    def _while_slack_is_up(self, act: Act) -> Act:
        async def guarded(asked: JSON) -> JSON:
            if self.control.faults.is_on("slack_down"):
                raise Refused("Slack is down: nothing you do arrives. Mend it at the faults.")
            return await act(asked)

        guarded.__name__ = act.__name__
        return guarded

    async def _fire(self, asked: JSON) -> JSON:
        channel = self.stage.slack.workspace.channels.get(str(asked.get("channel") or ""))
        return await self.control.fire(str(asked.get("kind")), str(asked.get("via") or "message"), channel)

    async def _change_alert(self, asked: JSON) -> JSON:
        return await self.control.change_alert(str(asked.get("alert")), str(asked.get("to")))

    async def _set_outcome(self, asked: JSON) -> JSON:
        self.control.set_outcome(str(asked.get("outcome")))
        return {}

    async def _set_speed(self, asked: JSON) -> JSON:
        seconds = asked.get("seconds")
        if not isinstance(seconds, int | float) or isinstance(seconds, bool):
            raise Refused("The speed is a number of seconds.")
        self.control.set_speed(float(seconds))
        return {}

    async def _finish(self, asked: JSON) -> JSON:
        self.control.finish(str(asked.get("investigation")), str(asked.get("outcome") or ""))
        return {}

    async def _case_change(self, asked: JSON) -> JSON:
        return self.control.change_case(str(asked.get("case")), asked)

    async def _fault(self, asked: JSON) -> JSON:
        self.control.turn_fault(str(asked.get("id")), on=bool(asked.get("on")))
        return {}

    async def _bot(self, asked: JSON) -> JSON:
        await self.control.turn_bot(str(asked.get("do")))
        return {}


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


# -- over HTTP ---------------------------------------------------------------------------------------------------------


class PlaygroundServer:
    def __init__(self, playground: Playground, host: str = "127.0.0.1", port: int = 0) -> None:
        self._playground = playground
        self._host = host
        self._port = port
        self._runner: web.AppRunner | None = None
        self._names: set[str] = set()
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._guard], client_max_size=MOST_BYTES)
        app.router.add_get("/", self._index)
        app.router.add_get("/page/{file}", self._file)
        app.router.add_get("/api/state", self._state)
        app.router.add_get("/api/stream", self._stream)
        app.router.add_post("/api/act", self._act)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        port = self._runner.addresses[0][1]
        shown = "127.0.0.1" if self._host in ("0.0.0.0", "::") else self._host
        self.url = f"http://{shown}:{port}"
        self._names = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]", shown)}
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Only this page speaks with this address: another site that makes a browser call it has another name or origin."""
        if not self._is_ours(request):
            return web.json_response({"ok": False, "error": "This address serves its own page only."}, status=403)
        response = await handler(request)
        if not response.prepared:
            response.headers.update(SECURITY)
        return response

    def _is_ours(self, request: web.Request) -> bool:
        if self._is_loopback and request.host not in self._names:
            return False
        origin = request.headers.get("Origin")
        if origin is not None and origin != f"http://{request.host}":
            return False
        return request.method in ("GET", "HEAD") or request.headers.get(HEADER) == "1"

    @property
    def _is_loopback(self) -> bool:
        return self._host in ("127.0.0.1", "localhost", "::1")

    async def _index(self, _request: web.Request) -> web.Response:
        return _static("index.html")

    async def _file(self, request: web.Request) -> web.Response:
        return _static(request.match_info["file"])

    async def _state(self, request: web.Request) -> web.Response:
        try:
            person = self._playground.person(request.query.get("as", ""))
        except Refused as error:
            return _refusal(str(error), 404)
        return web.json_response(self._playground.state(person))

    async def _act(self, request: web.Request) -> web.Response:
        try:
            asked = json.loads(await request.text())
        except ValueError:
            return _refusal("The page sent something that can't be read.", 400)
        if not isinstance(asked, dict):
            return _refusal("The page sent something that can't be read.", 400)
        try:
            done = await self._playground.act(asked)
        except (Refused, NotOnScreen, NotAcknowledged, NeverHappened) as error:
            self._playground.notify()
            return _refusal(str(error), 409)
        except ApiError as error:
            return _refusal(f"Slack says no: {error.error}", 409)
        except (BotDiedError, TimeoutError) as error:
            return _refusal(f"That did not work: {error}", 503)
        return web.json_response({"ok": True, **done})

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        try:
            self._playground.person(request.query.get("as", ""))
        except Refused as error:
            return _refusal(str(error), 404)
        response = web.StreamResponse(headers={**SECURITY, "Content-Type": "text/event-stream"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            await self._send_changes(response, request.query.get("as", ""))
        return response

    async def _send_changes(self, response: web.StreamResponse, user_id: str) -> None:
        """All of it first, and after a reset; in between what is new, as often as anything may have changed."""
        playground, loop = self._playground, asyncio.get_running_loop()
        beginning, last, differences = -1, loop.time(), Differences()
        while True:
            changed, name = playground.changed, "change"
            if playground.beginnings != beginning:
                beginning, differences, name = playground.beginnings, Differences(), "state"
            fresh = differences.since(playground.state(playground.person(user_id)))
            if fresh:
                await response.write(f"event: {name}\ndata: {fresh}\n\n".encode())
                last = loop.time()
            elif loop.time() - last > ALIVE_SECONDS:
                await response.write(b": still here\n\n")
                last = loop.time()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), LOOK_AGAIN_SECONDS)
            await asyncio.sleep(SETTLE_SECONDS)


class Differences:
    """What one page has not seen yet: whole sections, but of messages the channels and of the journal the calls."""

    def __init__(self) -> None:
        self._sent: dict[tuple[str, str], str] = {}
        self._calls: dict[str, JSON] = {}

    def since(self, state: JSON) -> str:
        """As JSON; nothing where there is nothing new."""
        sections = {name: value for name, value in state.items() if name not in ("messages", "journal")}
        fresh = self._changed("section", sections)
        if messages := self._changed("channel", state["messages"]):
            fresh["messages"] = _object(messages)
        if calls := self._changed("call", self._open_calls(state["journal"])):
            fresh["journal"] = f"[{', '.join(calls.values())}]"
        return _object(fresh) if fresh else ""

    def _open_calls(self, journal: list[JSON]) -> JSON:
        """Without those that are over and sent: the journal keeps them as they are."""
        before, self._calls = self._calls, {str(call["n"]): call for call in journal}
        return {number: call for number, call in self._calls.items() if before.get(number) is not call}

    def _changed(self, kind: str, values: JSON) -> dict[str, str]:
        fresh: dict[str, str] = {}
        for name, value in values.items():
            text = json.dumps(value)
            if self._sent.get((kind, name)) != text:
                self._sent[kind, name] = fresh[name] = text
        return fresh


def _object(members: dict[str, str]) -> str:
    return "{" + ", ".join(f"{json.dumps(name)}: {text}" for name, text in members.items()) + "}"


def _static(name: str) -> web.Response:
    found = files("bot.sandbox.playground").joinpath("page", name)
    kind = _KINDS.get(name.rpartition(".")[2])
    if "/" in name or "\\" in name or kind is None or not found.is_file():
        return web.Response(status=404, text="There is no such file.")
    return web.Response(body=found.read_bytes(), content_type=kind, charset=None if kind == "image/png" else "utf-8")


def _refusal(sentence: str, status: int) -> web.Response:
    return web.json_response({"ok": False, "error": sentence}, status=status)
