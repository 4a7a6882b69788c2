"""The sandbox at a prompt, for who has no browser: fire alerts, click, type commands, break things, and read what there is."""

import shlex
from collections.abc import Awaitable, Callable
from typing import Any

from bot.sandbox.playground.conclusions import OUTCOMES
from bot.sandbox.playground.control import Control, Refused
from bot.sandbox.playground.environment import BotDiedError
from bot.sandbox.playground.faults import SWITCHES
from bot.sandbox.playground.seed import KINDS, Stage
from bot.sandbox.slack import Message, NeverHappened, NotAcknowledged, NotOnScreen, Person
from bot.sandbox.slack.blockkit import interactive_elements
from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.places import Address
from bot.sandbox.slack.screens import View

HELP = f"""
  alert [kind]                   a monitor fires, Datadog posts it; kinds: {", ".join(kind.id for kind in KINDS)}
  warn | recover                 the latest alert goes on
  investigate                    the message shortcut "Investigate with Bits" on the latest alert
  case                           the message shortcut "Create case from message" on the latest alert
  /bits <words>                  the slash command, in #alerts
  @ <words>                      "@Bits Bot <words>" in the thread of the latest alert
  click <button>                 press a button of the open window, or of the latest message that has it: click Full report;
                                 what stands behind a message's … as well: click Run again
  fill <field> = <value>         fill in a field of the open window: text, an option's words, or a name
  choose <menu> = <option>       choose from a menu of the latest message that has it: choose Status = Closed
  submit                         submit the open window;   close   close it
  home                           the app's Home tab
  as <name>                      act as somebody else: ana, ben, cora (an admin), gil (a guest) or olga (of another company)
  outcome <name>                 how investigations end from now on: {", ".join(outcome.id for outcome in OUTCOMES)}
  speed <seconds>                how long they take;   finish   the running one ends now
  break <what> | mend            {", ".join(switch.id for switch in SWITCHES)}
  kill | start                   the bot, which goes on where it was
  show [channel]                 a channel with its threads
  quit                           stop everything
"""
_TROUBLES = (NotAcknowledged, NotOnScreen, NeverHappened, Refused, ApiError, BotDiedError, TimeoutError)
_PATIENCE = 10.0
_SHORTCUTS = {"investigate": "investigate_message", "case": "create_case_from_message"}


class Terminal:
    def __init__(self, stage: Stage, control: Control) -> None:
        self._stage = stage
        self._control = control
        self._slack = stage.slack
        self._person: Person = stage.ana
        self._people = {person.name: person for person in stage.people.values()}
        self._verbs: dict[str, Callable[[str], Awaitable[object]]] = {
            "alert": self._fire,
            "warn": self._warn,
            "recover": self._recover,
            "investigate": self._investigate,
            "case": self._case,
            "/bits": self._command,
            "@": self._mention,
            "click": self._click,
            "fill": self._fill,
            "choose": self._choose,
            "submit": self._submit,
            "close": self._close,
            "home": self._home,
            "as": self._become,
            "outcome": self._outcome,
            "speed": self._speed,
            "finish": self._finish,
            "break": self._break,
            "mend": self._mend,
            "kill": self._kill,
            "start": self._start,
            "show": self._show,
            "help": self._help,
        }

    async def obey(self, line: str) -> bool:
        """Do what a line says; False when it says to stop. Whatever else it says, the prompt stays."""
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
            await act(_unquoted(rest))
        except _TROUBLES as error:
            print(f"  ! {error}")
        except Exception as error:  # noqa: BLE001 - no word may end the demo
            print(f"  ! That did not work ({type(error).__name__}: {error}).")
        else:
            self._show_window()
        return True

    def _show_window(self) -> None:
        if modal := self._person.modal:
            print(f"\n{modal}\n")

    # -- Datadog ---------------------------------------------------------------------------------------------------

    async def _fire(self, rest: str) -> None:
        await self._control.fire(rest or KINDS[0].id)

    async def _warn(self, _rest: str) -> None:
        await self._control.change_alert(self._latest_event(), "warn")

    async def _recover(self, _rest: str) -> None:
        await self._control.change_alert(self._latest_event(), "recover")

    def _latest_event(self) -> str:
        self._latest_alert()  # there is one of today
        return self._stage.datadog.org.alerts[-1].event_id

    def _latest_alert(self) -> Message:
        posted = [one for one in self._stage.alerts_channel.top_level if one.author.name == "Datadog"]
        if not posted:
            raise NotOnScreen("There is no alert yet: type alert.")
        return posted[-1]

    async def _outcome(self, rest: str) -> None:
        self._control.set_outcome(rest)

    async def _speed(self, rest: str) -> None:
        try:
            seconds = float(rest)
        except ValueError:
            raise Refused("The speed is a number of seconds.") from None
        self._control.set_speed(seconds)

    async def _finish(self, _rest: str) -> None:
        now = self._stage.datadog.world.clock()
        running = [run for run in self._stage.datadog.org.investigations if not run.over(now)]
        if not running:
            raise Refused("No investigation is running.")
        self._control.finish(running[-1].id)

    async def _break(self, rest: str) -> None:
        self._control.turn_fault(rest, on=True)

    async def _mend(self, _rest: str) -> None:
        self._control.faults.mend_all()

    async def _kill(self, _rest: str) -> None:
        await self._stage.environment.bot.kill()
        print("The bot is dead; start brings it back.")

    async def _start(self, _rest: str) -> None:
        if self._stage.environment.bot.state in ("running", "starting"):
            raise Refused("The bot is running.")
        await self._stage.environment.start_bot()
        print("The bot is running.")

    # -- Slack -----------------------------------------------------------------------------------------------------

    async def _investigate(self, _rest: str) -> None:
        await self._person.shortcut(_SHORTCUTS["investigate"], on=self._latest_alert())

    async def _case(self, _rest: str) -> None:
        await self._person.shortcut(_SHORTCUTS["case"], on=self._latest_alert())
        await self._window_is_ready()

    async def _command(self, rest: str) -> None:
        await self._person.command("/bits", rest, in_=self._stage.alerts_channel)

    async def _mention(self, rest: str) -> None:
        posted = [one for one in self._stage.alerts_channel.top_level if one.author.name == "Datadog"]
        thread = posted[-1] if posted else None
        await self._person.mention(rest, in_=self._stage.alerts_channel, thread=thread)

    async def _click(self, rest: str) -> None:
        _need(rest, "click Full report")
        if self._person.modal is not None:
            await self._person.press(rest)
            return
        message = self._newest_with(rest)
        await self._person.click(_menu_item(message, rest) or rest, on=message)

    def _newest_with(self, words: str) -> Message:
        channel = self._stage.alerts_channel
        mine = [one for one in channel.ephemerals if one.only_for == self._person.id]
        for message in sorted([*channel.messages, *mine], key=lambda one: one.ts, reverse=True):
            if _has_button(message, words) or _menu_item(message, words):
                return message
        raise NotOnScreen(f"No message shows [{words}].")

    async def _choose(self, rest: str) -> None:
        what, option = _pair(rest, "choose Status = Closed")
        if self._person.modal is not None:
            await self._person.choose(what, option)
            return
        for message in sorted(self._stage.alerts_channel.messages, key=lambda one: one.ts, reverse=True):
            try:
                await self._person.choose(what, option, on=message)
            except NotOnScreen:
                continue
            return
        raise NotOnScreen(f"No message has a menu {what!r} that offers {option!r}.")

    async def _fill(self, rest: str) -> None:
        what, value = _pair(rest, "fill Title = Checkout is slow")
        view = self._slack.screens.top(self._person.id)
        if view is None:
            raise NotOnScreen("There is no window open.")
        address, element = _field(view, what)
        if element["type"].startswith(("users_", "multi_users_")):
            if value not in self._people:
                raise NotOnScreen(f"There is no {value!r}; there is {', '.join(self._people)}.")
            await self._person.fill({address: self._people[value]}, on=view)
            return
        if "external_select" in element["type"]:
            await self._person.look_up(address, value, on=view)
        await self._person.fill({address: value}, on=view)

    async def _submit(self, _rest: str) -> None:
        outcome = await self._person.submit()
        for label, sentence in outcome.errors.items():
            print(f"  ! {label}: {sentence}")

    async def _close(self, _rest: str) -> None:
        await self._person.close()

    async def _home(self, _rest: str) -> None:
        before = self._person.home.view.hash if self._person.home else ""
        await self._person.open_home()
        home = await self._slack.wait_for(
            lambda: one if (one := self._person.home) and one.view.hash != before else None, _PATIENCE
        )
        print(f"\n{home}\n")

    async def _window_is_ready(self) -> None:
        """Some windows open empty, while the bot still asks Datadog."""
        await self._slack.wait_for(lambda: (one := self._person.modal) and one.submit_label, _PATIENCE)

    async def _become(self, rest: str) -> None:
        if rest not in self._people:
            raise NotOnScreen(f"There is no {rest!r}; there is {', '.join(self._people)}.")
        self._person = self._people[rest]
        print(f"You are {rest}.")

    async def _show(self, rest: str) -> None:
        channel = self._slack.workspace.find_channel(rest) if rest else self._stage.alerts_channel
        if channel is None or (channel.kind != "public" and self._person.id not in channel.members):
            raise NotOnScreen(f"{self._person.name} sees no channel {rest!r}.")
        print(self._slack.transcript(channel, self._person))

    async def _help(self, _rest: str) -> None:
        print(HELP)


def _has_button(message: Message, words: str) -> bool:
    return f"[{words}]".casefold() in message.shown.casefold()


def _menu_item(message: Message, words: str) -> str | None:
    """What stands behind a message's three dots, as it is written there."""
    elements = (element for block in message.blocks for element in interactive_elements(block))
    menus = (element["options"] for element in elements if element["type"] == "overflow")
    names = (option["text"]["text"] for options in menus for option in options)
    return next((name for name in names if name.casefold() == words.casefold()), None)


def _unquoted(words: str) -> str:
    """Quotes around all of it are taken for what they mean in a shell; anything else stays as it was typed."""
    try:
        parts = shlex.split(words)
    except ValueError:
        return words.strip()
    return parts[0] if len(parts) == 1 and words.strip()[:1] in ("'", '"') else words.strip()


def _need(words: str, example: str) -> None:
    if not words:
        raise NotOnScreen(f"What? As in: {example}")


def _pair(words: str, example: str) -> tuple[str, str]:
    what, sign, value = (part.strip() for part in words.partition("="))
    if not what or not sign:
        raise NotOnScreen(f"What, and with what? As in: {example}")
    return what, value


def _field(view: View, label: str) -> tuple[Address, dict[str, Any]]:
    fields = {block["label"]["text"]: block for block in view.blocks if block["type"] == "input"}
    found = next((one for name, one in fields.items() if name.casefold() == label.casefold()), None)
    if found is None:
        raise NotOnScreen(f"The window has no field {label!r}; there is {', '.join(fields) or 'none'}.")
    return Address(found["block_id"], found["element"]["action_id"]), found["element"]
