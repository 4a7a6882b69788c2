"""Where something to click on stands: in a message, a modal or the Home tab; how it is found, and what Slack sends of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.sandbox.slack.blockkit import interactive_elements
from bot.sandbox.slack.errors import NotOnScreen
from bot.sandbox.slack.mrkdwn import NameOf
from bot.sandbox.slack.render import JSON, Values, element_label, text_of
from bot.sandbox.slack.screens import View
from bot.sandbox.slack.values import field_of, holds_value, starting_values
from bot.sandbox.slack.world import Message, as_json


class Place(Protocol):
    """A surface with blocks a person can act on."""

    @property
    def blocks(self) -> list[JSON]: ...
    @property
    def values(self) -> Values: ...
    @property
    def key(self) -> str: ...
    def described(self) -> JSON:
        """The members of an interaction payload that say where it happened."""
        ...


@dataclass
class InMessage:
    message: Message
    values_: Values = field(default_factory=dict)

    @property
    def blocks(self) -> list[JSON]:
        attached = [block for attachment in self.message.attachments for block in attachment.get("blocks", [])]
        return [*self.message.blocks, *attached]

    @property
    def values(self) -> Values:
        fresh = starting_values(self.blocks, self.values_)
        self.values_.clear()
        self.values_.update(fresh)
        return self.values_

    @property
    def key(self) -> str:
        return f"{self.message.channel.id}/{self.message.ts}"

    def described(self) -> JSON:
        message, channel = self.message, self.message.channel
        container: JSON = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": channel.id,
            "is_ephemeral": message.only_for is not None,
        }
        if message.thread_ts:
            container["thread_ts"] = message.thread_ts
        name = "directmessage" if channel.kind == "im" else channel.name
        described: JSON = {"container": container, "channel": {"id": channel.id, "name": name}}
        described["state"] = {"values": as_json(self.values)}
        if message.only_for is None:
            described["message"] = message.to_json(metadata=True)
        return described


@dataclass
class InView:
    view: View

    @property
    def blocks(self) -> list[JSON]:
        return self.view.blocks

    @property
    def values(self) -> Values:
        return self.view.values

    @property
    def key(self) -> str:
        return self.view.id

    def described(self) -> JSON:
        return {"container": {"type": "view", "view_id": self.view.id}, "view": self.view.to_json()}


@dataclass(frozen=True)
class Found:
    """One thing to click on or fill in. `part` is the half of a feedback pair or the overflow entry that was meant."""

    block: JSON
    element: JSON
    part: JSON | None = None

    @property
    def block_id(self) -> str:
        return str(self.block.get("block_id", ""))

    @property
    def action_id(self) -> str:
        return str(self.element["action_id"])

    @property
    def kind(self) -> str:
        return str(self.element["type"])


@dataclass(frozen=True)
class Address:
    """One element by its ids, as a page that draws blocks knows it; `value` tells apart the parts of one element."""

    block_id: str
    action_id: str
    value: str = ""

    def fits(self, found: Found) -> bool:
        part_fits = not self.value or found.part is None or found.part.get("value") == self.value
        return (found.block_id, found.action_id) == (self.block_id, self.action_id) and part_fits


def find(place: Place, wanted: str | Address, *, user_id: str, name_of: NameOf, index: int = 0) -> Found:
    """By what people read on or beside it, else by action or block id. Exact matches go before parts of a name."""
    there = [
        (found, names)
        for found, names in _all(place, name_of)
        if user_id in found.element.get("visible_to_user_ids", [user_id])
    ]
    if isinstance(wanted, Address):
        return _addressed(wanted, [found for found, _ in there])
    exact = [found for found, names in there if wanted in names]
    rough = [found for found, names in there if any(wanted.casefold() in name.casefold() for name in names)]
    matches = exact or rough
    if index >= len(matches):
        shown = ", ".join(sorted({repr(names[0]) for _, names in there})) or "nothing"
        raise NotOnScreen(f"{wanted!r} is not there to click on; there is {shown}")
    return matches[index]


def _addressed(wanted: Address, there: list[Found]) -> Found:
    for found in there:
        if wanted.fits(found):
            return found
    raise NotOnScreen("That is no longer there. The message or window has changed.")


def _all(place: Place, name_of: NameOf) -> Iterator[tuple[Found, list[str]]]:
    for outer in place.blocks:
        for block in _flat(outer):
            if block["type"] not in ("container", "carousel"):
                for element in interactive_elements(block):
                    yield from _with_names(block, element, name_of)


def _flat(block: JSON) -> Iterator[JSON]:
    yield block
    children = [*block.get("child_blocks", []), *(block["elements"] if block["type"] == "carousel" else [])]
    for child in children:
        yield from _flat(child)


def _with_names(block: JSON, element: JSON, name_of: NameOf) -> Iterator[tuple[Found, list[str]]]:
    ids = [element["action_id"], block.get("block_id", "")]
    if element["type"] == "feedback_buttons":
        for name in ("positive_button", "negative_button"):
            part = element[name]
            yield (
                Found(block, element, part),
                [part["text"]["text"], part.get("accessibility_label", ""), part["value"]],
            )
        return
    if element["type"] == "overflow":
        for part in element["options"]:
            yield Found(block, element, part), [part["text"]["text"], part["value"]]
        return
    yield Found(block, element), [name for name in (*_words(block, element, name_of), *ids) if name]


def _words(block: JSON, element: JSON, name_of: NameOf) -> list[str]:
    words = [element_label(element), element.get("accessibility_label", "")]
    if block["type"] == "input":
        return [block["label"]["text"], *words]
    if block["type"] == "section" and not element["type"].endswith("button"):
        words.append(text_of(block.get("text"), name_of))
    return words


def action_of(found: Found, values: Values, action_ts: str) -> JSON:
    """The entry of `actions` in a block_actions payload."""
    element = found.element
    action: JSON = {
        "type": found.kind,
        "action_id": found.action_id,
        "block_id": found.block_id,
        "action_ts": action_ts,
    }
    if holds_value(element):
        name = field_of(found.kind)
        action[name] = as_json(values[found.block_id][found.action_id][name])
    elif found.kind == "overflow":
        action["selected_option"] = found.part
    else:
        shown: dict[str, Any] = found.part or element
        action |= {name: shown[name] for name in ("text", "value", "style", "url") if name in shown}
    return action
