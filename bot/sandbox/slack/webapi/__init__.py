"""The Web API as a whole: a request comes in, is judged in Slack's order, answered, and written into the journal."""

import base64
import inspect
import json
from collections.abc import Awaitable, Callable
from contextvars import ContextVar

from aiohttp import web

from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.faults import MethodFault, Wait, pause
from bot.sandbox.slack.platform import ApiCall, Platform
from bot.sandbox.slack.render import JSON
from bot.sandbox.slack.webapi import apps, chat, conversations, directory, entity, views
from bot.sandbox.slack.webapi.call import METHODS, Method, MethodCall
from bot.sandbox.slack.world import Install

__all__ = ["METHODS", "WebApi", "apps", "chat", "conversations", "directory", "entity", "views"]

_CAME_IN: ContextVar[float] = ContextVar("_CAME_IN")
LIMITED_READS = ("conversations.history", "conversations.replies")


class WebApi:
    def __init__(self, slack: Platform) -> None:
        self._slack = slack

    async def handle(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        args = await _arguments(request)
        token = _token(request, args)
        _take_basic_auth(request, args)
        return await self.through_faults(request, name, args, lambda: self._answer(name, args, token))

    async def through_faults(
        self, request: web.Request, name: str, args: JSON, answer: Callable[[], Awaitable[web.Response]]
    ) -> web.Response:
        """The answer, or the mishap that was arranged for this call."""
        _CAME_IN.set(self._slack.clock())
        fault = self._slack.faults.next(name, args) or MethodFault(times=1)
        await pause(self._slack.slow)
        await pause(fault.delay)
        if fault.lands_after is not None:
            self._slack.background.start(_land(fault.lands_after, answer))
            return _hang_up(request)
        if fault.drop == "before":
            self.note(name, args, {"ok": False, "error": "(connection dropped before)"}, 0)
            return _hang_up(request)
        response = self._mishap(name, args, fault) or await answer()
        return _hang_up(request) if fault.drop == "after" else response

    def _mishap(self, name: str, args: JSON, fault: MethodFault) -> web.Response | None:
        if fault.retry_after:
            return self._refuse_for(name, args, fault.retry_after)
        if fault.error:
            answer = {"ok": False, "error": fault.error, **fault.more}
            self.note(name, args, answer, fault.status or 200)
            return web.json_response(answer, status=fault.status or 200)
        if fault.status:
            self.note(name, args, {"ok": False, "error": f"(HTTP {fault.status})"}, fault.status)
            return web.Response(status=fault.status, text="upstream trouble")
        return None

    def _refuse_for(self, name: str, args: JSON, seconds: int) -> web.Response:
        answer = {"ok": False, "error": "ratelimited"}
        self.note(name, args, answer, 429)
        return web.json_response(answer, status=429, headers={"Retry-After": str(seconds)})

    async def _answer(self, name: str, args: JSON, token: str) -> web.Response:
        headers: dict[str, str] = {}
        try:
            known = _known(name)
            call = MethodCall(self._slack, name, args, self._caller(known, token))
            if call.caller is not None:
                headers["X-OAuth-Scopes"] = ",".join(sorted(call.caller.scopes))
            if known.scopes:
                call.need_scope(*known.scopes)
            wait = self._wait(known, call)
            if wait:
                return self._refuse_for(name, args, wait)
            answer = known.handler(call)
            answer = await answer if inspect.isawaitable(answer) else answer
        except ApiError as refused:
            answer = refused.answer()
        self.note(name, args, answer, 200)
        return web.json_response(answer, headers=headers)

    def _wait(self, known: Method, call: MethodCall) -> int:
        slack = self._slack
        limited = slack.reads_limited and call.method in LIMITED_READS
        if not (slack.rate_limits or limited):
            return 0
        team = call.caller.team_ids[0] if call.caller and call.caller.team_ids else ""
        per_minute = 1 if limited else known.per_minute
        return slack.limits.retry_after(call.method, per_minute, team, call.text("channel"))

    def _caller(self, known: Method, token: str) -> Install | None:
        if known.token == "none":
            return None
        if not token:
            raise ApiError("not_authed")
        if known.token == "app":
            if token == self._slack.app.app_token:
                return None
            raise ApiError("not_allowed_token_type" if token.startswith("xoxb-") else "invalid_auth")
        if token == self._slack.app.app_token:
            raise ApiError("not_allowed_token_type")
        return self._slack.oauth.install_by_token(token)

    def note(self, name: str, args: JSON, answer: JSON, status: int) -> None:
        shown = {key: value for key, value in args.items() if key != "client_secret"}
        now = self._slack.clock()
        came_in = _CAME_IN.get(now)
        self._slack.calls.append(ApiCall(name, shown, answer, status, came_in, now - came_in))
        self._slack.changes.notify()


async def _land(wait: Wait, answer: Callable[[], Awaitable[web.Response]]) -> None:
    await pause(wait)
    await answer()


def _known(name: str) -> Method:
    if name not in METHODS:
        raise ApiError("unknown_method", req_method=name)
    return METHODS[name]


async def _arguments(request: web.Request) -> JSON:
    args: JSON = dict(request.query)
    if request.content_type == "application/json":
        try:
            body = json.loads(await request.text() or "{}")
        except ValueError:
            return args
        return args | body if isinstance(body, dict) else args
    return args | {name: value for name, value in (await request.post()).items() if isinstance(value, str)}


def _take_basic_auth(request: web.Request, args: JSON) -> None:
    """oauth.v2.access takes the client's id and secret as basic auth, as slack_sdk sends them."""
    header = request.headers.get("Authorization", "")
    if header.startswith("Basic "):
        credentials = base64.b64decode(header.removeprefix("Basic ")).decode()
        args["client_id"], _, args["client_secret"] = credentials.partition(":")


def _token(request: web.Request, args: JSON) -> str:
    """The token, taken out of the arguments so that no journal holds it."""
    in_body = str(args.pop("token", ""))
    header = request.headers.get("Authorization", "")
    return header.removeprefix("Bearer ").strip() if header.startswith("Bearer ") else in_body


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.close()
    return web.Response()
