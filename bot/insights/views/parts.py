"""What the windows of the insights modal share: frame, fields, and selects of a hundred that stay within Slack's limits."""

import json
from collections.abc import Iterable, Iterator, Sequence

from bot.insights.drafts import in_groups
from bot.slack.blocks import Block, actions, button, context, option, plain, section
from bot.slack.message import Message
from bot.slack.text import cut, one_line

CALLBACK_FORM = "attach_form"
CALLBACK_REMOVAL = "attach_removal"
CALLBACK_CONFIRM = "attach_removal_confirm"
CALLBACK_RESULT = "attach_result"
CALLBACK_NOTHING = "attach_nothing"  # views without a submit button

BACK = "attach:back"
REFRESH = "attach:refresh"  # shows how things stand
CHOSEN = "attach:list"
LEAVING = "attach:leaving"

A_SELECT = 100
MOST_SHOWN = 5 * A_SELECT  # more would outgrow a view; the rest is counted, kept and sent all the same
_BYTES_OF_OPTIONS = 190_000  # of the 250,000 a view may have; each option stands twice where it is chosen
_FRAME = 110  # bytes of an option without its text
_LENGTHS = (75, 60, 45, 34, 25, 18, 12, 8, 4)

Choice = tuple[str, str]  # label, value


def modal(
    title: str, callback: str, key: str, blocks: list[Block], *, submit: str = "", close: str = "Cancel"
) -> Block:
    """`key` is all that the window carries."""
    view: Block = {
        "type": "modal",
        "callback_id": callback,
        "title": plain(title, 24),
        "close": plain(close, 24),
        "private_metadata": key,
        "blocks": blocks,
    }
    return {**view, "submit": plain(submit, 24)} if submit else view


def expired_view() -> Block:
    text = (
        "This list is not there any more: it was put away after two hours without use, or belongs to somebody else. "
        "Open the window again, and paste the links once more."
    )
    return modal("Attach insights", CALLBACK_NOTHING, "", [section(text)], close="Close")


def refused_view(key: str, refusal: Message) -> Block:
    """For somebody who may not do this any more; what she put together waits behind it."""
    blocks = [
        section(refusal.text),
        context("Nothing was sent. What you put together is kept for two hours."),
        actions(button("Back", REFRESH), block_id="back"),
    ]
    return modal("Insights", CALLBACK_NOTHING, key, blocks, close="Close")


def field(
    block_id: str, label: str, element: Block, *, hint: str = "", optional: bool = True, tells: bool = False
) -> Block:
    """`tells`: a change of it is sent at once."""
    block: Block = {
        "type": "input",
        "block_id": block_id,
        "label": plain(label),
        "element": element,
        "optional": optional,
    }
    if tells:
        block["dispatch_action"] = True
    return {**block, "hint": plain(hint)} if hint else block


def selects(
    choices: Sequence[Choice], chosen: frozenset[str], *, label: str, name: str, action_id: str
) -> Iterator[Block]:
    """One multi-select a hundred choices; `name` begins their block ids."""
    shown = choices[:MOST_SHOWN]
    room = _BYTES_OF_OPTIONS // 2 // max(1, len(shown)) - _FRAME
    for number, group in enumerate(in_groups(shown, A_SELECT)):
        options = [option(_fitting(text, room), value) for text, value in group]
        first = number * A_SELECT + 1
        span = f" {first} to {first + len(group) - 1}" if len(shown) > A_SELECT else ""
        yield field(f"{name}:{number}", f"{label}{span}", _select(options, chosen, action_id), tells=True)


def _select(options: list[Block], chosen: frozenset[str], action_id: str) -> Block:
    element: Block = {
        "type": "multi_static_select",
        "action_id": action_id,
        "options": options,
        "placeholder": plain("None chosen"),
    }
    initial = [each for each in options if each["value"] in chosen]
    return {**element, "initial_options": initial} if initial else element


def _fitting(text: str, size: int) -> str:
    """As much of a label as there is room for; what JSON makes of it is what counts."""
    line = one_line(text, _LENGTHS[0]) or "Insight"
    return next((short for most in _LENGTHS if len(json.dumps(short := cut(line, most))) <= size), "Insight")


def unshown(count: int) -> Iterator[Block]:
    if count > MOST_SHOWN:
        yield context(
            f"The first {MOST_SHOWN} are shown. The other {count - MOST_SHOWN:,} are kept and stay as they are."
        )


def some(lines: Iterable[str], most: int) -> list[str]:
    """The first of them, and how many more there are."""
    everything = list(lines)
    more = len(everything) - most
    return [*everything[:most], f"and {more:,} more"] if more > 0 else everything
