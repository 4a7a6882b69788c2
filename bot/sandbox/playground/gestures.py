"""What a person does at the page, from its JSON to the same people the stories have: typing, pressing, choosing, submitting."""

from collections.abc import Mapping
from typing import Any

from bot.sandbox.playground.control import Refused
from bot.sandbox.playground.seed import Stage
from bot.sandbox.slack import Channel, Message, Outcome, Person
from bot.sandbox.slack.places import Address
from bot.sandbox.slack.screens import View
from bot.sandbox.slack.values import field_of

JSON = dict[str, Any]
LONGEST_MESSAGE = 40_000
_EMPTY_AS_NONE = ("value", "rich_text_value", "selected_date", "selected_time", "selected_date_time")


class Gestures:
    """One person's hands. Each method answers what the page shows at once; everything else comes as changed sections."""

    def __init__(self, stage: Stage, person: Person) -> None:
        self._stage = stage
        self._me = person

    # -- typing ----------------------------------------------------------------------------------------------------

    async def say(self, act: JSON) -> JSON:
        channel, text = self._channel(act), _text(act, "text")
        if not text.strip():
            raise Refused("There is nothing to send.")
        if len(text) > LONGEST_MESSAGE:
            raise Refused(f"A message has at most {LONGEST_MESSAGE:,} characters.")
        first = text.split(maxsplit=1)[0]
        if first.startswith("/") and first in self._commands() and not act.get("thread_ts"):
            return await self.command({**act, "command": first, "text": text[len(first) :].strip()})
        if first.startswith("/") and act.get("thread_ts") and first in self._commands():
            raise Refused(f"{first} is not supported in threads. Sorry!")  # Slack's own words
        thread = self._message(channel, _text(act, "thread_ts")) if act.get("thread_ts") else None
        message = await self._me.say(text, channel, thread=thread)
        return {"ts": message.ts}

    def _commands(self) -> set[str]:
        return self._stage.slack.app.commands or set()

    async def command(self, act: JSON) -> JSON:
        channel = self._channel(act)
        return _answer(await self._me.command(_text(act, "command"), _text(act, "text", ""), in_=channel))

    async def shortcut(self, act: JSON) -> JSON:
        callback_id = _text(act, "callback_id")
        if act.get("ts"):
            message = self._message(self._channel(act), _text(act, "ts"))
            return _answer(await self._me.shortcut(callback_id, on=message))
        return _answer(await self._me.global_shortcut(callback_id))

    async def react(self, act: JSON) -> JSON:
        message = self._message(self._channel(act), _text(act, "ts"))
        name = _text(act, "name", "") or _text(act, "reaction")
        if self._me.id not in message.reactions.get(name, []):
            await self._me.react(name, message)
        return {}

    # -- pressing and choosing -------------------------------------------------------------------------------------

    async def click(self, act: JSON) -> JSON:
        where, address = self._surface(act), _address(act)
        return _answer(await self._me.click(address, on=where))

    async def choose(self, act: JSON) -> JSON:
        where, kind, value = self._surface(act), _text(act, "element_type"), act.get("value")
        if kind == "overflow":
            picked = value.get("selected_option", {}).get("value", "") if isinstance(value, Mapping) else str(value)
            address = Address(_text(act, "block_id"), _text(act, "action_id"), picked)
            return _answer(await self._me.click(address, on=where))
        wanted = _wanted(kind, value)
        return _answer(await self._me.choose(_address(act, part=False), *wanted, on=where))

    async def fill(self, act: JSON) -> JSON:
        view = self._view(_text(act, "view"))
        await self._fill(view, act.get("values"))
        return {}

    async def _fill(self, view: View, values: Any) -> None:
        for block_id, entered in _mapping(values).items():
            for action_id, value in _mapping(entered).items():
                kind = str(_mapping(value).get("type", ""))
                before = view.values.get(block_id, {}).get(action_id)
                if before is not None and before == value:
                    continue
                wanted = _wanted(kind, value)
                await self._me.fill({Address(block_id, action_id): _as_entry(kind, wanted)}, on=view)

    async def search(self, act: JSON) -> JSON:
        where, address = self._surface(act), _address(act, part=False)
        return await self._me.look_up(address, _text(act, "text", ""), on=where)

    async def submit(self, act: JSON) -> JSON:
        view = self._view(_text(act, "view"))
        if self._stage.slack.screens.top(self._me.id) is not view:
            raise Refused("That window is no longer on top.")
        if act.get("values"):
            await self._fill(view, act["values"])
        outcome = await self._me.submit()
        return _answer(outcome) | {"errors": dict(view.errors)}

    async def close(self, act: JSON) -> JSON:
        view = self._view(_text(act, "view"))
        if self._stage.slack.screens.top(self._me.id) is not view:
            raise Refused("That window is no longer on top.")
        await self._me.close(everything=bool(act.get("everything")))
        return {}

    # -- getting about ---------------------------------------------------------------------------------------------

    async def open_home(self, _act: JSON) -> JSON:
        await self._me.open_home()
        return {}

    async def invite_app(self, act: JSON) -> JSON:
        await self._me.invite_app(self._channel(act))
        return {}

    async def join(self, act: JSON) -> JSON:
        self._stage.slack.join(self._channel(act), self._me.id)
        return {}

    async def follow_link(self, act: JSON) -> JSON:
        return {"url": _text(act, "url")}

    # -- what is meant ---------------------------------------------------------------------------------------------

    def _channel(self, act: JSON) -> Channel:
        channel = self._stage.slack.workspace.channels.get(_text(act, "channel"))
        user = self._me.user
        looks_around = not (user.guest or user.stranger)
        if channel is None or not (self._me.id in channel.members or (channel.kind == "public" and looks_around)):
            raise Refused("There is no such channel for you.")
        return channel

    def _message(self, channel: Channel, ts: str) -> Message:
        mine = [one for one in channel.ephemerals if one.only_for == self._me.id]
        found = next((one for one in [*channel.messages, *mine] if one.ts == ts and not one.deleted), None)
        if found is None:
            raise Refused("That message is no longer there.")
        return found

    def _surface(self, act: JSON) -> Message | View:
        surface = _mapping(act.get("surface") or {"message": {"channel": act.get("channel"), "ts": act.get("ts")}})
        if surface.get("view"):
            return self._view(str(surface["view"]))
        message = _mapping(surface.get("message"))
        return self._message(self._channel(dict(message)), _text(message, "ts"))

    def _view(self, view_id: str) -> View:
        found = next((view for view in self._me.views if view.id == view_id), None)
        if found is None:
            raise Refused("That window is closed.")
        return found


def _answer(outcome: Outcome) -> JSON:
    return {"opened_url": outcome.opened_url} if outcome.opened_url else {}


def _address(act: JSON, *, part: bool = True) -> Address:
    value = act.get("value") if part else ""
    return Address(_text(act, "block_id", ""), _text(act, "action_id"), value if isinstance(value, str) else "")


def _wanted(kind: str, value: Any) -> list[Any]:
    """What Slack's JSON of an action or a field says was entered, in the words the hands understand; empty for nothing."""
    try:
        name = field_of(kind)
    except KeyError:
        raise Refused(f"Nothing can be chosen in a {kind}.") from None
    entered = value.get(name) if isinstance(value, Mapping) else value
    if name == "selected_option":
        return [str(_mapping(entered)["value"])] if entered else []
    if name == "selected_options":
        return [str(_mapping(option)["value"]) for option in entered or []]
    if isinstance(entered, list):
        return list(entered)
    if entered in (None, ""):
        return [None] if name in _EMPTY_AS_NONE else []
    return [entered]


def _as_entry(kind: str, wanted: list[Any]) -> Any:
    """A list of several, one of one, None of none."""
    if field_of(kind).endswith(("options", "users", "conversations", "channels", "files")):
        return wanted
    return wanted[0] if wanted else None


def _text(act: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = act.get(name, default)
    if not isinstance(value, str):
        raise Refused(f"The page sent no {name}.")
    return value


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Refused("The page sent something that can't be read.")
    return value
