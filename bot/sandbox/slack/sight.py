"""What a person has before their eyes: an open modal or the Home tab, and what a gesture brought."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.sandbox.slack.render import JSON, block_lines, chosen_words
from bot.sandbox.slack.screens import View
from bot.sandbox.slack.tokens import NameOf
from bot.sandbox.slack.values import holds_value
from bot.sandbox.slack.world import Message

if TYPE_CHECKING:
    from bot.sandbox.slack.people import Person


@dataclass(frozen=True)
class SeenView:
    """A modal or the Home tab as it is shown."""

    view: View
    name_of: NameOf

    @property
    def title(self) -> str:
        return self.view.title

    @property
    def submit_label(self) -> str:
        submit: JSON | None = self.view.definition.get("submit")
        return str(submit["text"]) if submit else ""

    @property
    def close_label(self) -> str:
        close: JSON | None = self.view.definition.get("close")
        return str(close["text"]) if close else "Cancel"

    @property
    def errors(self) -> dict[str, str]:
        """The sentences under the fields, by the field's label."""
        labels = {block["block_id"]: block["label"]["text"] for block in self.view.blocks if block["type"] == "input"}
        return {labels.get(name, name): sentence for name, sentence in self.view.errors.items()}

    @property
    def fields(self) -> dict[str, str]:
        """What stands in the input fields, in words, by label."""
        shown = {}
        for block in self.view.blocks:
            if block["type"] == "input" and holds_value(block["element"]):
                value = self.view.values[block["block_id"]][block["element"]["action_id"]]
                shown[block["label"]["text"]] = chosen_words(value, self.name_of)
        return shown

    @property
    def body(self) -> str:
        lines: list[str] = []
        for block in self.view.blocks:
            lines += block_lines([block], self.name_of, self.view.values)
            if block.get("block_id") in self.view.errors:
                lines.append(f"! {self.view.errors[block['block_id']]}")
        return "\n".join(lines)

    @property
    def text(self) -> str:
        """All of it: title, body, and the buttons at its foot."""
        if self.view.surface == "home":
            return self.body
        foot = [f"[{label}]" for label in (self.close_label, self.submit_label) if label]
        return f"== {self.title} ==\n{self.body}\n{' '.join(foot)}"

    def __contains__(self, words: str) -> bool:
        return words in self.text

    def __str__(self) -> str:
        return self.text


@dataclass
class Seen:
    """What a gesture brought so far; ephemeral messages and modals that come later are in it too."""

    person: "Person"
    before: frozenset[Message]  # the ephemeral messages this person had then
    answer: JSON = field(default_factory=dict)  # what the app said with its acknowledgement
    opened_url: str = ""
    asked: str = ""  # the words of the confirm dialog
    errors: dict[str, str] = field(default_factory=dict)  # under the fields, after a submit

    @property
    def ephemerals(self) -> list[Message]:
        return [message for message in self.person.ephemerals if message not in self.before]

    @property
    def text(self) -> str:
        """The ephemeral answers since, as read."""
        return "\n".join(message.shown for message in self.ephemerals)

    @property
    def modal(self) -> SeenView | None:
        return self.person.modal

    async def answered(self) -> str:
        """Waits for an ephemeral answer, and reads it."""
        await self.person.waits_for(lambda: self.ephemerals)
        return self.text


def dialog(element: JSON) -> str:
    """A confirm dialog in one line, '' where there is none."""
    confirm: dict[str, Any] | None = element.get("confirm")
    if confirm is None:
        return ""
    words = {name: confirm[name]["text"] for name in ("title", "text", "confirm", "deny")}
    return f"{words['title']}: {words['text']} [{words['deny']}] [{words['confirm']}]"
