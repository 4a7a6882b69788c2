"""The HTTP side: Slack's requests where it has no socket to us, and health. It parses nothing itself."""

import logging
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp

logger = logging.getLogger(__name__)

MOST_BYTES = 1024 * 1024
_LONGEST_TIMESTAMP = 20

Check = Callable[[], Awaitable[str]]  # a sentence about what is wrong; empty when all is well


class Server:
    def __init__(self, host: str, port: int, *, ready: Check) -> None:
        self._host = host
        self._port = port
        self._ready = ready
        self._web = web.Application(client_max_size=MOST_BYTES)
        self._runner: web.AppRunner | None = None
        self._web.router.add_get("/healthz", _alive)
        self._web.router.add_get("/readyz", self._readiness)

    def serve_slack(self, app: AsyncApp) -> None:
        async def handle(request: web.Request) -> web.StreamResponse:
            if not _plausible(request):
                return web.Response(status=401, text="invalid request")
            return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

        self._web.router.add_post("/slack/events", handle)

    def serve(self, routes: Iterable[web.RouteDef]) -> None:
        self._web.router.add_routes(routes)

    @property
    def port(self) -> int:
        """The port in use; useful when any free one was asked for."""
        addresses = self._runner.addresses if self._runner else []
        return int(addresses[0][1]) if addresses else self._port

    async def start(self) -> None:
        self._runner = web.AppRunner(self._web, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _readiness(self, _request: web.Request) -> web.Response:
        problem = await self._ready()
        return web.json_response({"ready": not problem, "problem": problem}, status=503 if problem else 200)


async def _alive(_request: web.Request) -> web.Response:
    return web.json_response({"alive": True})


def _plausible(request: web.Request) -> bool:
    """Bolt answers these with a traceback instead of a no."""
    timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
    signature = request.headers.get("X-Slack-Signature", "")
    return timestamp.isascii() and timestamp.isdigit() and len(timestamp) < _LONGEST_TIMESTAMP and signature.isascii()
