"""What one person sees: channels as they read them, an open modal, the Home tab, and the outcome of what they do."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from bot.sandbox.slack.entities import Pane
from bot.sandbox.slack.mrkdwn import NameOf
from bot.sandbox.slack.platform import Platform
from bot.sandbox.slack.render import JSON, block_lines, chosen_words
from bot.sandbox.slack.screens import View
from bot.sandbox.slack.team import Team
from bot.sandbox.slack.transcript import thread_text, transcript
from bot.sandbox.slack.values import holds_value
from bot.sandbox.slack.world import Channel, Message, User

T = TypeVar("T")


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


class Reader:
    """One person in front of Slack, with what is on their screen."""

    def __init__(self, slack: Platform, workspace: Team, user: User) -> None:
        self.slack = slack
        self.workspace = workspace
        self.user = user

    @property
    def id(self) -> str:
        return self.user.id

    @property
    def name(self) -> str:
        return self.user.name

    def __repr__(self) -> str:
        return f"<{self.name} {self.id}>"

    @property
    def modal(self) -> SeenView | None:
        """The topmost open modal."""
        view = self.slack.screens.top(self.id)
        return SeenView(view, self.workspace.name_of) if view else None

    @property
    def home(self) -> SeenView | None:
        """The app's Home tab, once the app has published one."""
        view = self.slack.screens.homes.get(self.id)
        return SeenView(view, self.workspace.name_of) if view else None

    @property
    def pane(self) -> Pane | None:
        """The Work Object this person has open."""
        return self.slack.panes.get(self.id)

    @property
    def views(self) -> list[View]:
        """Every open modal, the lowest first, and the Home tab."""
        screens = self.slack.screens
        home = screens.homes.get(self.id)
        return [*screens.stacks.get(self.id, []), *([home] if home else [])]

    @property
    def ephemerals(self) -> list[Message]:
        """Everything only this person could see in channels, oldest first, as far as it still stands."""
        found = [
            one for channel in self.workspace.channels.values() for one in channel.ephemerals if one.only_for == self.id
        ]
        return sorted(found, key=lambda message: message.ts)

    @property
    def dms(self) -> list[Message]:
        """What the app wrote to this person directly."""
        direct = [one for one in self.workspace.channels.values() if one.kind == "im" and self.id in one.members]
        return [message for channel in direct for message in channel.messages if message.author.user_id != self.id]

    @property
    def sees(self) -> str:
        """What only this person sees, as text: ephemeral messages with their channel, then direct messages."""
        ephemeral = [f"#{message.channel.name}: {message.shown}" for message in self.ephemerals]
        direct = [f"DM from {message.author.name}: {message.shown}" for message in self.dms]
        return "\n".join([*ephemeral, *direct])

    def reads(self, where: Channel | Message) -> str:
        """A channel, or one thread, as this person reads it."""
        return thread_text(where, self.id) if isinstance(where, Message) else transcript(where, self.id)

    async def waits_for(self, happened: Callable[[], T | None]) -> T:
        return await self.slack.wait_for(happened)

    async def waits_for_modal(self, words: str = "") -> SeenView:
        """Waits until a modal with these words in it is on top."""
        return await self.waits_for(lambda: self.modal if self.modal and words in self.modal.text else None)


@dataclass
class Outcome:
    """What came of a click, a command or a submit so far; what comes later is in it too."""

    reader: Reader
    before: frozenset[Message]  # the ephemeral messages this person had then
    answer: JSON = field(default_factory=dict)  # what the app said with its acknowledgement
    opened_url: str = ""
    asked: str = ""  # the words of the confirm dialog
    errors: dict[str, str] = field(default_factory=dict)  # under the fields, after a submit

    @classmethod
    def begin(cls, reader: Reader) -> "Outcome":
        """From now on."""
        return cls(reader, frozenset(reader.ephemerals))

    @property
    def ephemerals(self) -> list[Message]:
        return [message for message in self.reader.ephemerals if message not in self.before]

    @property
    def text(self) -> str:
        """The ephemeral answers since, as read."""
        return "\n".join(message.shown for message in self.ephemerals)

    @property
    def modal(self) -> SeenView | None:
        return self.reader.modal

    async def answered(self) -> str:
        """Waits for an ephemeral answer, and reads it."""
        await self.reader.waits_for(lambda: self.ephemerals)
        return self.text
