"""The HTTP side: reads a request, finds who sends it, breaks it where that was asked for, and journals all of it."""

import asyncio
from collections.abc import Mapping

from aiohttp import web

from bot.sandbox.datadog import checks
from bot.sandbox.datadog.answers import Answer, Json, Refusal, bad_request, edge, problem, strings
from bot.sandbox.datadog.api import ROUTES
from bot.sandbox.datadog.api.call import Call, Route
from bot.sandbox.datadog.faults import Fault, Faults
from bot.sandbox.datadog.journal import Seen
from bot.sandbox.datadog.limits import Limits
from bot.sandbox.datadog.org import FakeOrg
from bot.sandbox.datadog.world import World

_MAX_BODY = 8 * 1024 * 1024


class Server:
    def __init__(self, world: World, faults: Faults, limits: Limits) -> None:
        self.url = ""
        self._world = world
        self._faults = faults
        self._limits = limits
        self._routes = [(route.pattern, route) for route in ROUTES]
        self._runner: web.AppRunner | None = None
        self._landing: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def start(self, host: str, port: int) -> None:
        app = web.Application(client_max_size=_MAX_BODY)
        app.router.add_route("*", "/{tail:.*}", self._serve)
        self._stopping = False
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        bound = self._runner.addresses[0][1]
        self.url = f"http://{host}:{bound}"

    async def stop(self) -> None:
        self._stopping = True
        self._faults.release()
        for landing in list(self._landing):
            landing.cancel()
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        seen = self._read(request, raw)
        fault = self._faults.take(seen)
        self._world.journal.saw(seen)
        if fault:
            answer = await self._misbehave(seen, request.headers, raw, fault)
        else:
            answer = self._carry_out(seen, request.headers, raw)
        if answer is None:
            return _hang_up(request)
        seen.status, seen.answer, seen.seconds = answer.status, answer.body, self._world.clock() - seen.at
        self._world.journal.notify()
        return _response(answer)

    def _read(self, request: web.Request, raw: bytes) -> Seen:
        try:
            body = checks.parse(raw) if raw else None
        except Refusal:
            body = None
        number = len(self._world.journal.requests) + 1
        query = dict(request.query)
        return Seen(number, self._world.clock(), request.method, request.path, query, body)

    async def _misbehave(self, seen: Seen, headers: Mapping[str, str], raw: bytes, fault: Fault) -> Answer | None:
        real = self._carry_out(seen, headers, raw) if fault.effect_first else None
        try:
            await fault.wait()
        finally:
            if fault.lands_after is not None:
                self._land_later(seen, dict(headers), raw, fault)
        if self._stopping or not fault.answered:
            return None
        if real is None and fault.effect_last:
            real = self._carry_out(seen, headers, raw)
        return fault.answer(real)

    def _land_later(self, seen: Seen, headers: Mapping[str, str], raw: bytes, fault: Fault) -> None:
        async def land() -> None:
            await fault.pause(fault.lands_after or 0)
            self._carry_out(seen, headers, raw)

        if not self._stopping:
            task = asyncio.get_running_loop().create_task(land())
            self._landing.add(task)
            task.add_done_callback(self._landing.discard)

    def _carry_out(self, seen: Seen, headers: Mapping[str, str], raw: bytes) -> Answer:
        """What Datadog would do; from here on nothing waits, so an effect is whole or did not happen."""
        extra: dict[str, str] = {}
        try:
            answer = self._handle(seen, headers, raw, extra)
        except Refusal as refusal:
            answer = refusal.answer
        self._world.journal.notify()
        return Answer(answer.body, answer.status, answer.content_type, {**extra, **answer.headers})

    def _handle(self, seen: Seen, headers: Mapping[str, str], raw: bytes, extra: dict[str, str]) -> Answer:
        route, args = self._route(seen)
        org = self._org(headers, route)
        seen.org = org.name
        limit_headers, refusal = self._limits.take(org.name, route.bucket, seen.path, self._world.clock())
        extra.update(limit_headers)
        if refusal:
            return refusal
        body = _body(route, headers, raw)
        if set(route.permissions(body)) - org.scopes:
            return strings(403, "Forbidden", "Failed permission authorization checks")
        for name in seen.query:  # Datadog passes over members it does not know; here a typing error is refused
            if name not in route.params:
                raise bad_request(f'unknown parameter "{name}" in "query"', "Invalid Parameter")
        call = Call(self._world, org, seen.method, seen.path, args, seen.query, body, self.url)
        return route.handler(call)

    def _route(self, seen: Seen) -> tuple[Route, dict[str, str]]:
        known_path = False
        for pattern, route in self._routes:
            match = pattern.fullmatch(seen.path)
            if match and route.method == seen.method:
                return route, match.groupdict()
            known_path = known_path or match is not None
        raise Refusal(problem(405, "Method Not Allowed") if known_path else edge(404, "Not found"))

    def _org(self, headers: Mapping[str, str], route: Route) -> FakeOrg:
        api_key, app_key = headers.get("DD-API-KEY"), headers.get("DD-APPLICATION-KEY")
        if not api_key:
            old = route.template == "/api/v1/validate"
            raise Refusal(strings(403, "API key required") if old else strings(401, "Unauthorized"))
        org = next((org for org in self._world.orgs if org.api_key == api_key), None)
        if org is None:
            raise Refusal(edge(403, "Forbidden"))
        if route.keys == "both" and not app_key:
            raise Refusal(strings(401, "Unauthorized"))
        if route.keys == "both" and app_key != org.app_key:
            raise Refusal(strings(403, "Forbidden"))
        return org


def _body(route: Route, headers: Mapping[str, str], raw: bytes) -> Json:
    if not route.body:
        if raw:
            raise bad_request("this call takes no body")
        return None
    if not raw:
        raise bad_request("a request body is required")
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind not in {"application/json", "application/vnd.api+json"}:
        raise Refusal(problem(415, "Unsupported Media Type", f'content type "{kind}" is not supported'))
    return checks.parse(raw)


def _hang_up(request: web.Request) -> web.Response:
    if request.transport:
        request.transport.abort()
    return web.Response()


def _response(answer: Answer) -> web.Response:
    headers = dict(answer.headers)
    if answer.status == 204:
        return web.Response(status=204, headers=headers)
    headers.setdefault(
        "Content-Type",
        f"{answer.content_type}; charset=utf-8" if "html" in answer.content_type else answer.content_type,
    )
    return web.Response(body=answer.text.encode(), status=answer.status, headers=headers)
