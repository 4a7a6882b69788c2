"""What the bot is measured beside: the least that could serve the same requests, each as a process of its own."""

import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path


def bolt(port: int, _folder: Path, secret: str, api_url: str, token: str) -> None:
    """Bolt with a listener that does nothing, behind aiohttp's server."""
    from slack_bolt.async_app import AsyncApp
    from slack_bolt.context.ack.async_ack import AsyncAck
    from slack_sdk.web.async_client import AsyncWebClient

    app = AsyncApp(signing_secret=secret, client=AsyncWebClient(token=token, base_url=api_url))

    @app.shortcut("investigate_message")
    async def nothing(ack: AsyncAck) -> None:
        await ack()

    app.start(port=port, host="127.0.0.1")


def webhook(port: int, folder: Path) -> None:
    """aiohttp and one insert, as durable as ours."""
    from aiohttp import web

    database = sqlite3.connect(folder / "reference.sqlite3", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        database.execute(f"PRAGMA {pragma}")
    database.execute("CREATE TABLE notices (id INTEGER PRIMARY KEY, body BLOB)")

    async def take(request: web.Request) -> web.Response:
        database.execute("INSERT INTO notices (body) VALUES (?)", (await request.read(),))
        return web.Response()

    app = web.Application()
    app.router.add_post("/", take)
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


if __name__ == "__main__":
    servers: dict[str, Callable[..., None]] = {"bolt": bolt, "webhook": webhook}
    servers[sys.argv[1]](int(sys.argv[2]), Path(sys.argv[3]), *sys.argv[4:])
