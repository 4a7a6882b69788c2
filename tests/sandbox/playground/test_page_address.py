"""The page's address: what it serves, and whom it refuses."""

import asyncio
import re
import tomllib
from pathlib import Path

import pytest

from tests.sandbox.playground.visitor import Visitor


async def test_the_page_asks_nobody_else_for_anything(visitor: Visitor) -> None:
    async with visitor.session.get(visitor.url) as response:
        assert response.status == 200
        assert "default-src 'self'" in response.headers["Content-Security-Policy"]
        html = await response.text()
    assert not re.findall(r"<script(?![^>]*\bsrc=)", html)
    for path in re.findall(r'(?:src|href)="(?!data:)([^"#]+)"', html):
        assert path.startswith("/page/"), path
        async with visitor.session.get(visitor.url + path) as response:
            assert response.status == 200, path


@pytest.mark.parametrize("path", ["/page/nothing.js", "/page/..%2fserver.py", "/page/server.py", "/etc/passwd"])
async def test_nothing_but_the_page_is_served(visitor: Visitor, path: str) -> None:
    async with visitor.session.get(visitor.url + path) as response:
        assert response.status == 404


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1"])
async def test_another_name_for_this_address_is_refused(visitor: Visitor, host: str) -> None:
    for path in ("/", "/api/state", "/api/stream"):
        async with visitor.session.get(visitor.url + path, headers={"Host": host}) as response:
            assert response.status == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
async def test_another_page_cannot_act_here(visitor: Visitor, origin: str) -> None:
    speed = {"kind": "set_speed", "args": {"seconds": 3}}
    status, _ = await visitor.post(speed, {"X-Playground": "1", "Origin": origin})
    assert status == 403


async def test_an_act_without_the_page_s_mark_is_refused(visitor: Visitor) -> None:
    """A form on another site can post, but it can't set a header."""
    status, _ = await visitor.post({"kind": "set_speed", "args": {"seconds": 3}}, {})
    assert status == 403
    status, _ = await visitor.post(
        {"kind": "set_speed", "args": {"seconds": 3}}, {"X-Playground": "1", "Origin": visitor.url}
    )
    assert status == 200


@pytest.mark.parametrize("body", ["", "no json", "[]", '{"kind": "say", "args": []}', '{"kind": "say", "args": "x"}'])
async def test_what_cannot_be_read_is_refused(visitor: Visitor, body: str) -> None:
    async with visitor.session.post(f"{visitor.url}/api/act", data=body, headers={"X-Playground": "1"}) as response:
        assert 400 <= response.status < 500
        assert (await response.json())["ok"] is False


async def test_nobody_is_refused_by_name(visitor: Visitor) -> None:
    for path in ("/api/state", "/api/stream"):
        async with visitor.session.get(visitor.url + path, params={"as": "U9999"}) as response:
            assert response.status == 404
    status, refused = await visitor.post({"as": "U9999", "kind": "open_home", "args": {}})
    assert (status, refused["error"]) == (409, "There is nobody with this id.")


async def test_a_reset_starts_over_behind_the_same_page(visitor: Visitor) -> None:
    channel = await visitor.channel("payments")
    said = await visitor.does("say", channel=channel, text="Will this be forgotten?")
    async with visitor.stream() as events:
        await anext(events)
        resetting = asyncio.create_task(visitor.does("reset"))
        async for sections in events:  # the bot is stopped, and meanwhile the stream goes on
            if sections["event"] == "state" or sections.get("faults", {}).get("bot") == "stopped":
                break
        meanwhile = await visitor.tries("say", channel=channel, text="And this?")
        assert meanwhile["error"] == "The playground is starting over. One moment."
        await resetting
        async for sections in events:
            if sections.get("faults", {}).get("bot") == "running":
                break
    messages = (await visitor.state())["messages"][channel]
    assert said["ts"] not in [message["ts"] for message in messages]
    assert any("payments-api 2.14" in message["text"] for message in messages)
    assert (await visitor.state())["faults"]["bot"] == "running"


def test_every_file_of_the_page_is_packaged() -> None:
    root = Path(__file__).parents[3]
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    packaged = {
        file
        for pattern in project["tool"]["setuptools"]["package-data"]["bot"]
        for file in (root / "bot").glob(pattern)
    }
    page = {file for file in (root / "bot/sandbox/playground/page").rglob("*") if file.is_file()}
    assert page
    assert page <= packaged
