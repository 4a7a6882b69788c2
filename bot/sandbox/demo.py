"""What `bits-bot demo` does: the page until it is interrupted; or the story in the terminal, and then a prompt."""

import asyncio
import os
import shlex
import sys
import webbrowser
from collections.abc import Mapping
from typing import Any

from bot.sandbox.playground.control import Control
from bot.sandbox.playground.environment import BotDiedError, Environment, Mode
from bot.sandbox.playground.journal import Journal
from bot.sandbox.playground.seed import KINDS, Stage
from bot.sandbox.playground.server import Playground, PlaygroundServer
from bot.sandbox.slack import Message
from bot.sandbox.story import StoryWorld, printing, tell_story
from bot.sandbox.terminal import HELP, Terminal

BROKE_OFF = (BotDiedError, AssertionError, TimeoutError, OSError)
_STARTING = "Starting a local Slack, a local Datadog and the bot ..."
_STORY_SECONDS = 1.0


async def show_page(mode: Mode, manifest: Mapping[str, Any], *, host: str, port: int, open_browser: bool) -> int:
    print(_STARTING, flush=True)
    try:
        async with Playground(mode, manifest) as playground, PlaygroundServer(playground, host, port) as server:
            print(f"Open this in a browser; Ctrl-C ends it:\n\n{server.url}/\n", flush=True)
            if open_browser and _has_desktop():
                await asyncio.to_thread(webbrowser.open, f"{server.url}/")
            await asyncio.Event().wait()
    except BROKE_OFF as error:
        print(f"\nThe demo broke off: {error}")
        return 1
    return 0


def _has_desktop() -> bool:
    return sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


class StageWorld(StoryWorld):
    """The story on the playground's stage, whose alerts go on afterwards."""

    def __init__(self, stage: Stage, control: Control) -> None:
        super().__init__(stage.environment, stage.ana, stage.ben, stage.monitors[KINDS[0].id])
        self._control = control

    async def fire(self) -> Message:
        fired = await self._control.fire(KINDS[0].id)
        message = self.channel.message(fired["ts"])
        assert message is not None
        return message


async def play_and_stay(mode: Mode, manifest: Mapping[str, Any]) -> int:
    print(_STARTING, flush=True)
    try:
        environment = Environment(mode, manifest)
        stage = Stage(environment, manifest)
        stage.seconds = _STORY_SECONDS
        stage.plan()
        async with environment:
            control = Control(stage, Journal(stage.slack, stage.datadog))
            world = StageWorld(stage, control)
            async with printing(world) as printer:
                await tell_story(world, printer)
                await _stay(stage, control)
            await control.close()
    except BROKE_OFF as error:
        print(f"\nThe demo broke off: {error}")
        return 1
    return 0


async def _stay(stage: Stage, control: Control) -> None:
    environment = stage.environment
    print(f"\nEverything keeps running. Your turn, as ana:{HELP}")
    print(f"  Slack's Web API  {environment.slack.api_url}      Datadog's API  {environment.datadog.url}")
    print(f"  the bot's log    {shlex.quote(str(environment.bot.log))}\n", flush=True)
    died = asyncio.create_task(environment.bot.died())
    listening = asyncio.create_task(_listen(Terminal(stage, control)))
    try:
        await asyncio.wait({died, listening}, return_when=asyncio.FIRST_COMPLETED)
        if environment.bot.state != "died":  # who kills it at the prompt goes on there
            await asyncio.wait({listening})
    finally:
        for task in (died, listening):
            task.cancel()
    for done in await asyncio.gather(died, listening, return_exceptions=True):
        if isinstance(done, BotDiedError) and environment.bot.state == "died":
            raise done


async def _listen(terminal: Terminal) -> None:
    """Line by line; without a terminal to read from, stay until interrupted."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    try:
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    except (ValueError, OSError):  # stdin is closed, or a file
        await asyncio.Event().wait()
    while (line := await _line(reader)) is not None:
        if not await terminal.obey(line):
            return
    if not sys.stdin.isatty():
        await asyncio.Event().wait()


async def _line(reader: asyncio.StreamReader) -> str | None:
    try:
        line = await reader.readline()
    except ValueError:  # longer than anybody types
        return "help"
    return line.decode(errors="replace") if line else None
