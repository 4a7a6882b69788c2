"""The story, then a terminal to go on with: fire alerts, click, type commands, and see what the channel shows."""

import asyncio
import os
import shlex
import sys
import webbrowser
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.sandbox.environment import BotDiedError, Environment, Mode
from bot.sandbox.playground.server import Playground, PlaygroundServer
from bot.sandbox.slack import Message, NeverHappened, NotAcknowledged, NotOnScreen, Person
from bot.sandbox.story import StoryWorld, printing, tell_story

HELP = """
  alert                          a monitor fires, Datadog posts it
  investigate                    the message shortcut "Investigate with Bits" on the latest alert
  /bits <words>                  the slash command, in #alerts
  @ <words>                      "@Bits Bot <words>" in the thread of the latest alert
  click <button>                 press a button of the latest message that has it, as in: click Details
  fill <field> = <value>         fill in a field of the open modal
  submit                         submit the open modal;   close   close it
  as <ana | ben>                 act as somebody else
  show                           the whole channel, with its threads
  quit                           stop everything
"""


class Terminal:
    def __init__(self, world: StoryWorld) -> None:
        self._world = world
        self._slack = world.environment.slack
        self._person: Person = world.ana
        self._people = {"ana": world.ana, "ben": world.ben}
        self._alert: Message | None = next(iter(world.channel.top_level), None)
        self._verbs: dict[str, Callable[[str], Awaitable[object]]] = {
            "alert": self._fire,
            "investigate": self._investigate,
            "/bits": self._command,
            "@": self._mention,
            "click": self._click,
            "fill": self._fill,
            "submit": self._submit,
            "close": self._close,
            "as": self._become,
            "show": self._show,
            "help": self._help,
        }

    async def obey(self, line: str) -> bool:
        """Do what a line says; False when it says to stop."""
        verb, _, rest = line.strip().partition(" ")
        if verb in {"quit", "exit"}:
            return False
        if not verb:
            return True
        act = self._verbs.get(verb)
        if act is None:
            print(f"I don't know {verb!r}.{HELP}")
            return True
        try:
            await act(rest.strip())
        except (NotAcknowledged, NotOnScreen, NeverHappened) as error:
            print(f"  ! {error}")
        if modal := self._person.modal:
            print(f"\n{modal}\n")
        return True

    async def _fire(self, _rest: str) -> None:
        _, self._alert = await self._world.fire()

    async def _investigate(self, _rest: str) -> None:
        if self._alert is None:
            raise NotOnScreen("there is no alert yet: type alert")
        await self._person.shortcut("investigate_message", on=self._alert)

    async def _command(self, rest: str) -> None:
        await self._person.command("/bits", rest, in_=self._world.channel)

    async def _mention(self, rest: str) -> None:
        await self._person.mention(rest, in_=self._world.channel, thread=self._alert)

    async def _click(self, rest: str) -> None:
        if self._person.modal is not None:
            await self._person.press(rest)
            return
        for message in sorted(self._world.channel.messages, key=lambda one: one.ts, reverse=True):
            if f"[{rest}]" in message.shown:
                await self._person.click(rest, on=message)
                return
        raise NotOnScreen(f"no message has a button {rest!r}")

    async def _fill(self, rest: str) -> None:
        field, _, value = rest.partition("=")
        await self._person.fill({field.strip(): value.strip()})

    async def _submit(self, _rest: str) -> None:
        await self._person.submit()

    async def _close(self, _rest: str) -> None:
        await self._person.close()

    async def _become(self, rest: str) -> None:
        self._person = self._people.get(rest, self._person)
        print(f"You are {self._person.name}.")

    async def _show(self, _rest: str) -> None:
        print(self._slack.transcript(self._world.channel, self._person))

    async def _help(self, _rest: str) -> None:
        print(HELP)


async def show_page(mode: Mode, manifest: Mapping[str, Any], *, host: str, port: int, open_browser: bool) -> int:
    """The page, until interrupted."""
    print("Starting a local Slack, a local Datadog and the bot ...", flush=True)
    try:
        async with Playground(mode, manifest) as playground, PlaygroundServer(playground, host, port) as server:
            print(f"Open this in a browser; Ctrl-C ends it:\n\n{server.url}/\n", flush=True)
            if open_browser and _has_desktop():
                await asyncio.to_thread(webbrowser.open, f"{server.url}/")
            await asyncio.Event().wait()
    except (BotDiedError, NeverHappened, TimeoutError, OSError) as error:
        print(f"\nThe demo broke off: {error}")
        return 1
    return 0


def _has_desktop() -> bool:
    return sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


async def play_and_stay(mode: Mode, manifest: Mapping[str, Any]) -> int:
    print("Starting a local Slack, a local Datadog and the bot ...")
    try:
        async with Environment(mode, manifest) as environment:
            world = StoryWorld(environment)
            async with printing(world) as printer:
                await tell_story(world, printer)
                await _stay(world)
    except (BotDiedError, AssertionError, TimeoutError) as error:
        print(f"\nThe demo broke off: {error}")
        return 1
    return 0


async def _stay(world: StoryWorld) -> None:
    environment = world.environment
    print(f"\nEverything keeps running. Your turn, as ana:{HELP}")
    print(f"  Slack's Web API  {environment.slack.api_url}      Datadog's API  {environment.datadog.url}")
    print(f"  the bot's log    {shlex.quote(str(environment.bot.log))}\n")
    died = asyncio.create_task(environment.bot.died())
    listening = asyncio.create_task(_listen(Terminal(world)))
    done, pending = await asyncio.wait({died, listening}, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    done.pop().result()


async def _listen(terminal: Terminal) -> None:
    """Line by line; without a terminal to read from, stay until interrupted."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    try:
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    except (ValueError, OSError):  # stdin is closed, or a file
        await asyncio.Event().wait()
    while line := await reader.readline():
        if not await terminal.obey(line.decode(errors="replace")):
            return
    if not sys.stdin.isatty():
        await asyncio.Event().wait()
