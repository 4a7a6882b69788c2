"""The HTTP side: health, and the doors that others hang into it. It parses nothing itself."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

from aiohttp import hdrs, web

from bot.logs import Seldom, described
from bot.web.bodies import MOST_BYTES
from bot.web.guard import ConnectionGuard, Handler
from bot.web.health import Ready, Stuck, as_answer
from bot.web.slack_endpoint import PATH, Answer, SlackEndpoint

logger = logging.getLogger(__name__)

LINGER = 2.0  # seconds for whoever still sends what nobody reads
WAITING_TO_CONNECT = 1024  # who finds no room there tries again only after a second


class Server:
    def __init__(
        self, host: str, port: int, *, ready: Ready, stuck: Stuck = list, guard: ConnectionGuard | None = None
    ) -> None:
        self._host = host
        self._port = port
        self._ready = ready
        self._stuck = stuck
        self._guard = guard or ConnectionGuard()
        self._web = web.Application(middlewares=[self._guard.watching(), _answered], client_max_size=MOST_BYTES)
        self._runner: web.AppRunner | None = None
        self._listening: asyncio.Server | None = None
        self._web.router.add_get("/healthz", self._liveness)
        self._web.router.add_get("/readyz", self._readiness)

    def serve_slack(self, signing_secret: str, answer: Answer) -> None:
        self._web.router.add_post(PATH, SlackEndpoint(signing_secret, answer).receive)

    def serve(self, routes: Iterable[web.RouteDef]) -> None:
        self._web.router.add_routes(routes)

    @property
    def port(self) -> int:
        """The port in use; useful when any free one was asked for."""
        return int(self._listening.sockets[0].getsockname()[1]) if self._listening else self._port

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._runner = web.AppRunner(
            self._web,
            access_log=None,
            auto_decompress=False,
            lingering_time=LINGER,
            logger=Seldom(logging.getLogger("aiohttp.server")),
        )
        await self._runner.setup()
        protocols = self._runner.server
        assert protocols is not None  # noqa: S101  set up above
        protocols.request_factory = _nameless
        watched = self._guard.watched(protocols)
        self._listening = await loop.create_server(watched, self._host, self._port, backlog=WAITING_TO_CONNECT)

    async def stop(self) -> None:
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _liveness(self, _request: web.Request) -> web.Response:
        if stuck := self._stuck():
            return web.json_response({"alive": False, "problem": "; ".join(stuck)}, status=503)
        return web.json_response({"alive": True})

    async def _readiness(self, _request: web.Request) -> web.Response:
        answer = as_answer(await self._ready())
        return web.json_response(answer, status=200 if answer["ready"] else 503)


@web.middleware
async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever goes wrong in a door, it ends in one line that holds nothing of the request."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except Exception as error:  # noqa: BLE001  nobody else catches it
        resource = request.match_info.route.resource
        logger.error("%s could not be answered: %s", resource.canonical if resource else "?", described(error))  # noqa: TRY400
        return web.Response(status=500, text="something went wrong; nothing was done")


class _Nameless(web.Request):
    """Its answers do not say what they are made with, not even those to what is no HTTP."""

    async def _prepare_hook(self, response: web.StreamResponse) -> None:
        await super()._prepare_hook(response)
        response.headers.popall(hdrs.SERVER, None)


def _nameless(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.Request:
    loop = asyncio.get_running_loop()
    return _Nameless(message, payload, protocol, writer, task, loop, client_max_size=MOST_BYTES)
