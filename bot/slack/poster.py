"""Posts and edits what is in the outbox, exactly once.

Slack has no idempotency key. Every post carries our key in its metadata; a post whose outcome is unknown is looked for
in its thread before it is sent again, and not before it must have landed.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from json import dumps
from typing import Any, Protocol

from slack_sdk.errors import SlackApiError
from sqlalchemy import ColumnElement, Row
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import meters
from bot.deadline import within
from bot.logs import about
from bot.slack.blocks import Message
from bot.slack.clients import BotClient, Workspaces
from bot.slack.errors import CALL_ERRORS, Meaning, SlackTrouble, trouble_of
from bot.storage.leases import LeasedWorker
from bot.storage.outbox import SENDING, Delivery, Outbox, due, read_deliveries
from bot.storage.tables import deliveries

logger = logging.getLogger(__name__)

METADATA_TYPE = "bits_bot_post"
AT_ONCE = 24
GIVE_UP_AFTER = 24 * 3600.0
LONGEST_WAIT = 300.0
MOST_PAGES = 20  # of a thread, in search of a post of ours
_CLOCK_SKEW = 120.0  # seconds Slack's clock may be behind ours


class CannotLookError(Exception):
    """This workspace does not let us read the thread."""


class Kind(Protocol):
    """What the poster needs to know about one kind of message."""

    async def message(self, delivery: Delivery, *, may_repeat: bool) -> Message | None:
        """What it shows now; None when there is nothing left to show."""

    async def refused(self, delivery: Delivery, code: str) -> None:
        """The channel does not take it; tell whoever has to know."""


@dataclass(eq=False)
class Poster(LeasedWorker):
    table = deliveries
    slots = AT_ONCE  # of channels: each takes what is due in it one after the other
    under_way = deliveries.c.state == SENDING

    outbox: Outbox
    workspaces: Workspaces
    kinds: Mapping[str, Kind]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    def __post_init__(self) -> None:
        super().__post_init__()
        self._claimed: list[Delivery] = []
        self._busy: set[str] = set()
        self._passed_over = False  # channels were busy when we looked last: what became due in them was not taken
        self._last_post: dict[str, float] = {}

    def _owed(self) -> ColumnElement[bool]:
        return due(not_in=())

    def _wanted(self) -> ColumnElement[bool]:
        return due(not_in=self._busy)

    def _room(self) -> int:
        return self.slots - len(self._busy)

    async def _claim(self, connection: AsyncConnection, room: int) -> Sequence[Row[Any]]:
        self._passed_over = bool(self._busy)
        rows = await super()._claim(connection, room)
        self._claimed = await read_deliveries(connection, rows, self._leases.fence, self._timing.lease)
        return rows

    def _hand_out(self, rows: Sequence[Row[Any]]) -> None:  # noqa: ARG002  as deliveries they have been read
        by_channel: dict[str, list[Delivery]] = {}
        for delivery in self._claimed:
            by_channel.setdefault(delivery.post.channel, []).append(delivery)
        for channel, claimed in by_channel.items():
            self._busy.add(channel)
            self._tasks.spawn(self._serve(channel, claimed), f"posts to {channel}")

    async def _serve(self, channel: str, claimed: list[Delivery]) -> None:
        """One channel's deliveries one after the other, as long as the lease surely holds."""
        began = self.clock()
        try:
            for delivery in claimed:
                if self.clock() - began > self._timing.settle:
                    await self.outbox.not_tried(delivery, 0, "later")
                else:
                    await self._guarded(delivery)
        finally:
            self._busy.discard(channel)
            if self._may_be_more or self._passed_over:
                self.alarm.ring()

    async def _guarded(self, delivery: Delivery) -> None:
        """What is wrong with one delivery must not keep the others of its channel; it comes back by its lease."""
        post = delivery.post
        try:
            with about(workspace=post.workspace, channel=post.channel, person=post.requester):
                await self._deliver(delivery)
        except Exception:
            logger.exception("%s: this try failed", delivery.post.key)
            self.alarm.ring(self._timing.lease)

    async def _deliver(self, delivery: Delivery) -> None:
        kind = self.kinds.get(delivery.post.kind)
        bot_client = await self.workspaces.bot_client(delivery.post.workspace)
        if kind is None or bot_client is None:
            await self.outbox.refused(delivery, "workspace_gone")
            return
        if not delivery.ts:
            await self._keep_pace(delivery.post.channel)
        try:
            async with within(self._timing.effect):
                await self._send(bot_client, kind, delivery)
        except CALL_ERRORS as error:
            await self._stumbled(kind, delivery, trouble_of(error))

    async def _send(self, bot_client: BotClient, kind: Kind, delivery: Delivery) -> None:
        may_repeat = False
        if delivery.may_stand_already:
            try:
                if ts := await _find_ours(bot_client, delivery):
                    logger.info("%s stands in Slack already", delivery.post.key)
                    await self.outbox.adopted(delivery, ts)
                    meters.DELIVERIES.add(delivery.post.kind, "found")
                    return
            except CannotLookError:
                may_repeat = True
        message = await kind.message(delivery, may_repeat=may_repeat)
        if message is None:
            await self.outbox.refused(delivery, "nothing_to_show")
        elif delivery.ts:
            await self._edit(bot_client, delivery, message)
        else:
            await self._post(bot_client, delivery, message)

    async def _edit(self, bot_client: BotClient, delivery: Delivery, message: Message) -> None:
        digest = _digest(message)
        if digest != delivery.digest:
            await _tolerating_our_faults(
                bot_client.client.chat_update, message, channel=delivery.post.channel, ts=delivery.ts, parse="none"
            )
            meters.DELIVERIES.add(delivery.post.kind, "edited")
        await self.outbox.sent(delivery, delivery.ts, digest)

    async def _post(self, bot_client: BotClient, delivery: Delivery, message: Message) -> None:
        if not await self.outbox.sending(delivery):
            return
        answer = await _tolerating_our_faults(
            bot_client.client.chat_postMessage,
            message,
            channel=delivery.post.channel,
            thread_ts=delivery.thread_ts or None,
            reply_broadcast=True if message.broadcast and delivery.thread_ts else None,
            metadata={"event_type": METADATA_TYPE, "event_payload": {"key": delivery.post.key}},
            parse="none",
            unfurl_links=False,
            unfurl_media=False,
        )
        await self.outbox.sent(delivery, str(answer["ts"]), _digest(message))
        meters.DELIVERIES.add(delivery.post.kind, "posted")
        logger.info("posted: %s", delivery.post.kind)
        if (
            waited := meters.CARDS_AWAITED.end(delivery.post.key.rpartition(":")[0], delivery.post.channel)
        ) is not None:
            meters.CARD_TIME.observe(waited)

    async def _keep_pace(self, channel: str) -> None:
        wait = self._last_post.get(channel, 0.0) + self._timing.pace - self.clock()
        if wait > 0:
            await self.sleep(wait)
        self._last_post[channel] = self.clock()
        if len(self._last_post) > 1000:
            self._last_post.clear()

    # -- when Slack does not take it ----------------------------------------------------------------------------

    async def _stumbled(self, kind: Kind, delivery: Delivery, trouble: SlackTrouble) -> None:
        logger.warning("%s: Slack says %s (%s)", delivery.post.key, trouble.code, trouble.meaning)
        retried = trouble.meaning in {Meaning.WAIT, Meaning.OPEN}
        meters.DELIVERIES.add(delivery.post.kind, "retried" if retried else "refused")
        if trouble.meaning is Meaning.WAIT:
            await self._wait(kind, delivery, trouble)
        elif trouble.meaning is Meaning.OPEN:
            await self.outbox.outcome_open(delivery, self._timing.settle, trouble.code)
        else:
            await self._refused(kind, delivery, trouble.code)

    async def _wait(self, kind: Kind, delivery: Delivery, trouble: SlackTrouble) -> None:
        if delivery.age > GIVE_UP_AFTER and not delivery.ts:
            await self._refused(kind, delivery, trouble.code)
            return
        patience = min(self._timing.backoff(delivery.attempt), LONGEST_WAIT)
        wait = trouble.wait if trouble.code == "ratelimited" else patience
        if delivery.may_stand_already:
            await self.outbox.outcome_open(delivery, wait, trouble.code)  # it may be the look that has to wait
        else:
            await self.outbox.not_sent(delivery, wait, trouble.code)

    async def _refused(self, kind: Kind, delivery: Delivery, code: str) -> None:
        """An edit that is refused loses little; a post that is refused has to reach its reader another way."""
        if await self.outbox.refused(delivery, code) and not delivery.ts:
            await kind.refused(delivery, code)


async def _tolerating_our_faults(call: Callable[..., Any], message: Message, **arguments: Any) -> Any:
    """Should Slack dislike our blocks, the words alone still get through: nothing is lost over a layout."""
    try:
        return await call(**message.as_arguments(), **arguments)
    except SlackApiError as error:
        trouble = trouble_of(error)
        if trouble.meaning is not Meaning.MALFORMED:
            raise
        if message.plainer:
            logger.warning("Slack refuses our blocks (%s): leaving out what it may not be able to fetch", trouble.code)
            return await _tolerating_our_faults(call, replace(message, blocks=message.plainer, plainer=[]), **arguments)
        logger.exception("Slack refuses our blocks: %s", trouble.code)
        return await call(text=message.text[:3000], blocks=[], **arguments)


def _digest(message: Message) -> str:
    return sha256(dumps(message.as_arguments(), sort_keys=True).encode()).hexdigest()


# -- looking for a post of ours, by the key in its metadata ----------------------------------------------------------


async def _find_ours(bot_client: BotClient, delivery: Delivery) -> str | None:
    """The ts of our post with this delivery's key, if it stands there."""
    try:
        async for message in _messages(bot_client, delivery):
            if _is_ours(message, bot_client, delivery.post.key):
                return str(message["ts"])
    except SlackApiError as error:
        if trouble_of(error).meaning is Meaning.REFUSED:
            raise CannotLookError from error
        raise
    return None


async def _messages(bot_client: BotClient, delivery: Delivery) -> AsyncIterator[dict[str, Any]]:
    cursor, channel = "", await _conversation(bot_client, delivery)
    since = max((delivery.first_try_at or 0.0) - _CLOCK_SKEW, 0.0)
    for _ in range(MOST_PAGES):
        arguments: dict[str, Any] = {
            "channel": channel,
            "oldest": f"{since:.6f}",
            "include_all_metadata": True,
            "limit": 200,
        }
        if cursor:
            arguments["cursor"] = cursor
        if delivery.thread_ts:
            page = await bot_client.client.conversations_replies(ts=delivery.thread_ts, **arguments)
        else:
            page = await bot_client.client.conversations_history(**arguments)
        for message in page.get("messages") or ():
            yield message
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return


async def _conversation(bot_client: BotClient, delivery: Delivery) -> str:
    """A person's id is enough to post to, but reading needs the conversation's own id."""
    channel = delivery.post.channel
    if not channel.startswith(("U", "W")):
        return channel
    answer = await bot_client.client.conversations_open(users=channel)
    return str(answer["channel"]["id"])


def _is_ours(message: dict[str, Any], bot_client: BotClient, key: str) -> bool:
    by_bot = bool(bot_client.bot_id) and message.get("bot_id") == bot_client.bot_id
    metadata = message.get("metadata") or {}
    own_key = metadata.get("event_type") == METADATA_TYPE and (metadata.get("event_payload") or {}).get("key") == key
    return own_key and (by_bot or message.get("user") == bot_client.bot_user_id)
