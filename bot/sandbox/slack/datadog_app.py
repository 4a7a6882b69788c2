"""The other app in the channel: Datadog's, posting alerts as attachments and editing them when they recover."""

from typing import Any

from bot.sandbox.slack.messages import Content, Messages
from bot.sandbox.slack.render import JSON
from bot.sandbox.slack.world import Author, Channel, Message

APP_ID = "A0F7XDT7F"  # as in Slack's directory
BOT_ID = "B0DATADOG"
BOT: JSON = {"id": BOT_ID, "deleted": False, "name": "Datadog", "app_id": APP_ID, "user_id": "U0DATADOG"}
COLORS = {"Triggered": "a30200", "Re-Triggered": "a30200", "Warn": "daa038", "Recovered": "2eb886"}


STRANGERS_TEAM = "T9999"  # another company, here through Slack Connect


def stranger(name: str = "Datadog", *, app_id: str = "A0STRANGER", team_id: str = STRANGERS_TEAM) -> Author:
    """Somebody else's bot, which may call itself anything."""
    return Author("U0STRANGER", name, "B0STRANGER", app_id, team_id, "bot_message")


class DatadogApp:
    def __init__(self, messages: Messages) -> None:
        self._messages = messages

    async def post(
        self,
        channel: Channel,
        *,
        title: str = "",
        title_link: str = "",
        text: str = "",
        thread_ts: str | None = None,
        subtype: str = "bot_message",
        top_text: str = "",
        blocks: list[JSON] | None = None,
        attachments: list[JSON] | None = None,
        author: Author | None = None,
        **attachment: Any,
    ) -> Message:
        """Posts an alert, or what a `stranger` makes look like one. Other members of its attachment (`image_url`, `footer`, `fields`, …) go by their own names;
        `attachments` are further ones behind it, `blocks` and `top_text` stand in the message itself."""
        author = author or Author("U0DATADOG", "Datadog", BOT_ID, APP_ID, channel.team_id, subtype)
        first = _attachment(title, title_link, text, attachment)
        content = Content(top_text, blocks, _numbered([*first, *(attachments or [])]))
        return await self._messages.post(channel, author, content, thread_ts=thread_ts).heard()

    async def edit(
        self,
        message: Message,
        *,
        title: str,
        title_link: str,
        text: str = "",
        blocks: list[JSON] | None = None,
        attachments: list[JSON] | None = None,
        **attachment: Any,
    ) -> Message:
        """The parent of an alert cycle takes on its newest state."""
        shown = _attachment(title, title_link, text, attachment)
        content = Content(None, blocks, _numbered([*shown, *(attachments or [])]))
        return await self._messages.edit(message, content, "U0DATADOG").heard()


def _attachment(title: str, title_link: str, text: str, more: dict[str, Any]) -> list[JSON]:
    if not (title or text or more):
        return []
    transition = title.partition(":")[0]
    made: JSON = {
        "color": COLORS.get(transition, "888888"),
        "fallback": title or text,
        "mrkdwn_in": ["text"],
        "text": text,
    }
    if title:
        made |= {"title": title, "title_link": title_link}
    return [{**made, **more}]


def _numbered(attachments: list[JSON]) -> list[JSON]:
    return [{"id": number, **attachment} for number, attachment in enumerate(attachments, 1)]
