"""What a view hands to whoever posts it: the sentence for notifications and screen readers, and the blocks."""

from dataclasses import dataclass, field
from typing import Any

from bot.slack.blocks import Block, section


@dataclass(frozen=True, slots=True)
class Message:
    text: str
    blocks: list[Block] = field(default_factory=list)
    plainer: list[Block] = field(default_factory=list)  # without what Slack may fail to fetch, such as a picture
    broadcast: bool = False  # a reply that is also shown in the channel

    def as_arguments(self) -> dict[str, Any]:
        """As chat.postMessage, chat.update, respond() and ack() take it."""
        return {"text": self.text, "blocks": self.blocks}


def sentences(*parts: str) -> Message:
    """An answer that is only words, already mrkdwn."""
    text = " ".join(part for part in parts if part)
    return Message(text, [section(text)])
