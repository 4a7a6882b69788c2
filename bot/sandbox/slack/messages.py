"""Messages as they are posted, edited and deleted, whoever does it: kept, announced to the app, watched for pings."""

import asyncio
from dataclasses import dataclass

from bot.sandbox.slack.changes import Changes, Timestamps
from bot.sandbox.slack.events import Events
from bot.sandbox.slack.mrkdwn import Ping, pinged_in_attachments, pinged_in_blocks, pinged_in_text
from bot.sandbox.slack.render import JSON
from bot.sandbox.slack.world import Author, Channel, Message

LINKING = ("full", "client")


@dataclass
class Content:
    """What a message says; `None` stands for "not given", which an edit leaves as it was."""

    text: str | None = None
    blocks: list[JSON] | None = None
    attachments: list[JSON] | None = None
    metadata: JSON | None = None
    parse: str = "none"
    link_names: bool = False

    @property
    def is_empty(self) -> bool:
        return not (self.text or self.blocks or self.attachments)


@dataclass
class Posted:
    """A message and the events about it that are on their way."""

    message: Message
    events: list[asyncio.Future[None]]

    async def heard(self) -> Message:
        """The message, once the app had its first chance to hear of it."""
        await asyncio.gather(*self.events)
        return self.message


class Messages:
    def __init__(self, changes: Changes, stamps: Timestamps, events: Events, app_id: str) -> None:
        self._changes = changes
        self._stamps = stamps
        self._events = events
        self._app_id = app_id
        self.pings: list[Ping] = []

    def post(
        self,
        channel: Channel,
        author: Author,
        content: Content,
        *,
        thread_ts: str | None = None,
        broadcast: bool = False,
        client_msg_id: str | None = None,
    ) -> Posted:
        message = Message(
            channel,
            author,
            self._stamps.next(),
            content.text or "",
            content.blocks or [],
            content.attachments or [],
            thread_ts,
            content.metadata,
            broadcast=broadcast,
            client_msg_id=client_msg_id,
        )
        channel.messages.append(message)
        self._record_pings(message, content)
        heard = [self._events.about_message(message), self._events.mention(message)]
        self._changes.notify()
        return Posted(message, [event for event in heard if event is not None])

    def post_ephemeral(
        self, channel: Channel, author: Author, content: Content, *, only_for: str, thread_ts: str | None
    ) -> Message:
        """An ephemeral message: one person sees it, no event tells of it, no metadata stays with it."""
        message = Message(
            channel,
            author,
            self._stamps.next(),
            content.text or "",
            content.blocks or [],
            content.attachments or [],
            thread_ts,
            only_for=only_for,
        )
        channel.ephemerals.append(message)
        self._record_pings(message, content)
        self._changes.notify()
        return message

    def edit(self, message: Message, content: Content, by: str) -> Posted:
        previous = message.to_json()
        if content.text is not None:
            message.text = content.text
        if content.blocks is not None:
            message.blocks = content.blocks
        if content.attachments is not None:
            message.attachments = content.attachments
        if content.metadata is not None:
            message.metadata = content.metadata or None
        message.edits += 1
        message.edited_by, message.edited_ts = by, self._stamps.next()
        self._record_pings(message, content)
        changed = {
            "subtype": "message_changed",
            "hidden": True,
            "message": message.to_json(metadata=True),
            "previous_message": previous,
        }
        return self._announce(message, changed)

    def delete(self, message: Message) -> Posted:
        message.deleted = True
        previous = message.to_json()
        kept = message.channel.ephemerals if message.only_for else message.channel.messages
        if message.replies:  # the thread needs a place to stand under
            message.text, message.blocks, message.attachments = "This message was deleted.", [], []
            message.metadata = None
            message.author = Author("USLACKBOT", "Slackbot", team_id=message.author.team_id, subtype="tombstone")
        else:
            kept.remove(message)
        return self._announce(
            message,
            {"subtype": "message_deleted", "hidden": True, "deleted_ts": message.ts, "previous_message": previous},
        )

    def _announce(self, message: Message, event: JSON) -> Posted:
        self._changes.notify()
        if message.only_for:
            return Posted(message, [])
        event_sent = self._events.about_message(message, {"type": "message", "ts": self._stamps.next(), **event})
        return Posted(message, [event_sent] if event_sent else [])

    def _record_pings(self, message: Message, content: Content) -> None:
        if message.author.app_id != self._app_id:
            return
        linked = content.link_names or content.parse in LINKING
        pinged = dict.fromkeys(
            [
                *pinged_in_text(content.text or "", linked_names=linked),
                *pinged_in_blocks(content.blocks or []),
                *pinged_in_attachments(content.attachments or []),
            ]
        )
        self.pings += [Ping(kind, target, message.channel.id, message.ts) for kind, target in pinged]
