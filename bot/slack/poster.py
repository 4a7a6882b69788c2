"""Posts and edits what is in the outbox, exactly once.

Slack has no idempotency key. Every post carries our key in its metadata; a post whose outcome is unknown is looked for
in its thread before it is sent again, and not before it must have landed. What people wait for goes first.
"""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property
from hashlib import sha256
from json import dumps
from typing import Any, ClassVar, Protocol

from slack_sdk.errors import SlackApiError
from sqlalchemy import (
    BindParameter,
    Boolean,
    ColumnElement,
    Executable,
    Row,
    Select,
    and_,
    bindparam,
    case,
    or_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import meters
from bot.deadline import before, time_in
from bot.logs import about
from bot.slack.blocks import Message
from bot.slack.clients import BotClient, Workspaces
from bot.slack.errors import CALL_ERRORS, RATE_LIMITED, Meaning, SlackTrouble, trouble_of
from bot.slack.own_posts import METADATA_TYPE, CannotLookError, conversation, further, is_ours, page
from bot.slack.pace import Pace
from bot.slack.waits import POST, Waits
from bot.storage.leases import LeasedWorker
from bot.storage.outbox import OWED, PENDING, SENDING, Delivery, Outbox, claiming, due, read_deliveries
from bot.storage.tables import deliveries, literally
from bot.storage.troubles import troubles

logger = logging.getLogger(__name__)

EDIT = "chat.update"
AT_ONCE = 48
MORE_AT_ONCE = 4  # rows, for people, while every slot is taken
TOGETHER = 0.05  # seconds: of channels that are served one after the other, one statement takes what comes next
GIVE_UP_AFTER = 24 * 3600.0
LONGEST_WAIT = 300.0
LOOK_FOR = 3600.0  # a post of ours that could not be looked for in all this time is sent again, and says so
OLD = 600.0  # seconds
FAIR = 5  # every so many times what is older than that goes first, whoever waits for something else


class Urgency(IntEnum):
    """What goes first into a channel. Whatever nobody has asked for comes after all that somebody has."""

    ANSWER = 0
    CARD = 1
    ALERT = 2


class Kind(Protocol):
    """What the poster needs to know about one kind of message."""

    urgency: ClassVar[Urgency]

    async def message(self, delivery: Delivery, *, may_repeat: bool) -> Message | None:
        """What it shows now; None when there is nothing left to show."""

    async def refused(self, delivery: Delivery, code: str) -> None:
        """The channel does not take it; tell whoever has to know."""


@dataclass(eq=False)
class Poster(LeasedWorker):
    """Takes of each channel the next post, and every edit; each is delivered in a task of its own."""

    table = deliveries
    slots = AT_ONCE
    due = OWED
    under_way = or_(deliveries.c.state == SENDING, deliveries.c.ts.is_not(None))  # a late edit shows what was
    is_told = True

    outbox: Outbox
    workspaces: Workspaces
    kinds: Mapping[str, Kind]
    waits: Waits
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    def __post_init__(self) -> None:
        super().__post_init__()
        self.pace = Pace(self._timing.pace, self.clock)
        self._claimed: list[Delivery] = []
        self._until = math.inf  # what was claimed last leaves before that
        self._unsent: set[int] = set()  # marked in the claim, and certainly not posted yet
        self._claims = 0
        self._is_full = False  # only what people wait for was taken
        self._looks_at = -math.inf

    # -- what is taken, and in which order ----------------------------------------------------------------------

    @cached_property
    def _claiming(self) -> Executable:
        return claiming(self._leases, self._database.moment, self._for_us(), self._first())

    def _wanted(self) -> ColumnElement[bool]:
        """Posts only into channels that take one now; while every slot is taken, only what people wait for."""
        table = deliveries.c
        closed: BindParameter[Any] = bindparam("closed", expanding=True)
        # what shows something new is for the version that knows how; put together, so that no index of kinds is preferred
        known = literally(table.kind.concat(""), *self.kinds)
        goes_out = or_(table.ts.is_not(None), table.channel.not_in(closed))
        return and_(due(), known, goes_out, or_(table.requester != "", bindparam("for_all", type_=Boolean)))

    def _first(self) -> Sequence[ColumnElement[Any]]:
        """People before machines; of what is old some goes first all the same."""
        table = deliveries.c
        is_overdue = and_(table.created_at < self._database.moment - OLD, bindparam("old_first", type_=Boolean))
        by_kind = case({name: int(kind.urgency) for name, kind in self.kinds.items()}, value=table.kind, else_=0)
        return [case({is_overdue: 0}, else_=1), case({table.requester == "": 1}, else_=0), by_kind]

    def _room(self) -> int:
        """For people there is a slot when alerts have all others."""
        taken = len(self._working)
        return max(self.slots - taken, MORE_AT_ONCE if taken < 2 * self.slots else 0)

    def _parameters(self) -> dict[str, Any]:
        closed, old_first = self.pace.closed(), self._claims % FAIR == FAIR - 1
        self._is_full = len(self._working) >= self.slots
        return {"closed": closed, "for_all": not self._is_full, "old_first": old_first}

    def next_due(self) -> Select[float | None]:
        return super().next_due().params(closed=[], for_all=True)

    async def _claim(self, connection: AsyncConnection, room: int) -> Sequence[Row[Any]]:
        self._until = time_in(
            self._timing.effect
        )  # from before it is written down: whoever takes over counts from then
        rows = await super()._claim(connection, room)
        self._claims += bool(rows)
        self._claimed = await read_deliveries(connection, rows, self._leases.fence, self._timing.lease)
        if rows and not self._database.is_sqlite:
            await self.waits.learn_with(connection)
        return rows

    def _hand_out(self, rows: Sequence[Row[Any]]) -> None:
        self._working |= {row.id for row in rows}
        for delivery in self._claimed:
            if not delivery.ts:
                self.pace.take(delivery.post.channel, more_wait=delivery.more_wait)
                if not delivery.may_stand_already:
                    self._unsent.add(delivery.fence.id)
        if self._claimed:
            self._tasks.spawn(self._serve(self._claimed, self._until), f"claimed posts, {len(self._claimed)} of them")
        self._look_when_free()

    async def _serve(self, claimed: Sequence[Delivery], until: float) -> None:
        await asyncio.gather(*(self._guarded(each, until) for each in claimed))

    async def _guarded(self, delivery: Delivery, until: float) -> None:
        """What is wrong with one delivery must not keep the others."""
        post = delivery.post
        try:
            with about(workspace=post.workspace, channel=post.channel, person=post.requester):
                await self._deliver(delivery, until)
        except Exception as error:  # noqa: BLE001  it is told
            troubles.met("posts", error)
            await self._comes_back(delivery)
        else:
            troubles.over("posts")
            self._unsent.discard(delivery.fence.id)
        finally:
            self._working.discard(delivery.fence.id)
            if not delivery.ts:
                self.pace.give_back(post.channel)
            self._look_when_free()
            if self._may_be_more or self._is_full:
                self._look_in(TOGETHER)

    async def _comes_back(self, delivery: Delivery) -> None:
        """When its lease would end; one that was never sent need not be looked for then."""
        self.alarm.ring(self._timing.lease)
        if delivery.fence.id in self._unsent:
            self._unsent.discard(delivery.fence.id)
            with suppress(Exception):  # then it is looked for
                await self.outbox.not_sent(delivery, self._timing.lease, "failed")

    def _look_when_free(self) -> None:
        next_in = self.pace.next_in()
        if next_in is not None:
            self._look_in(next_in)

    def _look_in(self, seconds: float) -> None:
        """Channels that become free at almost the same time share one claim."""
        now = self._database.ticks()
        if not now < self._looks_at <= now + seconds:
            self._looks_at = now + seconds
            self.alarm.ring(seconds)

    async def hand_back(self, connection: AsyncConnection) -> None:
        """What was not posted yet need not be looked for."""
        unsent = and_(deliveries.c.id.in_(self._unsent), deliveries.c.owner == self.owner)
        if self._unsent:
            await connection.execute(update(deliveries).where(unsent).values(state=PENDING, first_try_at=None))
        await super().hand_back(connection)

    # -- one of them --------------------------------------------------------------------------------------------

    async def _deliver(self, delivery: Delivery, until: float) -> None:
        kind = self.kinds.get(delivery.post.kind)
        bot_client = await self.workspaces.bot_client(delivery.post.workspace)
        if kind is None or bot_client is None:
            await self.outbox.refused(delivery, "workspace_gone")
            return
        if wait := self._told_to_wait(delivery):
            await self._stumbled(kind, delivery, SlackTrouble(Meaning.WAIT, RATE_LIMITED, wait))
            return
        try:
            async with before(until):
                looked_for = await self._looked_for(bot_client, delivery)
                if looked_for is not None:
                    delivery = looked_for
                    await self._send(bot_client, kind, delivery)
        except CALL_ERRORS as error:
            await self._stumbled(kind, delivery, trouble_of(error))

    def _told_to_wait(self, delivery: Delivery) -> float:
        """As far as that is known before anything is called; a look for it has its own limit."""
        if delivery.may_stand_already:
            return 0.0
        return self.waits.left(delivery.post.workspace, EDIT if delivery.ts else POST, delivery.post.channel)

    async def _looked_for(self, bot_client: BotClient, delivery: Delivery) -> Delivery | None:
        """None when it stands already; when it surely does not, what becomes of it from here on is certain again."""
        if not delivery.may_stand_already:
            return delivery
        try:
            ts = await self._find_ours(bot_client, delivery)
        except CannotLookError:
            return delivery
        if not ts:
            return replace(delivery, may_stand_already=False)
        logger.info("%s stands in Slack already", delivery.post.key)
        await self.outbox.adopted(delivery, ts)
        meters.DELIVERIES.add(delivery.post.kind, "found")
        return None

    async def _send(self, bot_client: BotClient, kind: Kind, delivery: Delivery) -> None:
        message = await kind.message(delivery, may_repeat=delivery.may_stand_already)
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
                bot_client.client.chat_update,
                message,
                channel=delivery.post.channel,
                ts=delivery.ts,
                # what an edit does not name stays, and with a Work Object it can't be named
                metadata=None if message.entities else _metadata(delivery),
                parse="none",
            )
            meters.DELIVERIES.add(delivery.post.kind, "edited")
            _note_card_time(delivery)
        await self.outbox.sent(delivery, delivery.ts, digest)

    async def _post(self, bot_client: BotClient, delivery: Delivery, message: Message) -> None:
        if not await self._may_leave(delivery):
            return
        answer = await _with_entities(
            bot_client.client.chat_postMessage,
            message,
            _metadata(delivery),
            channel=delivery.post.channel,
            thread_ts=delivery.thread_ts or None,
            reply_broadcast=True if message.broadcast and delivery.thread_ts else None,
            parse="none",
            unfurl_links=False,
            unfurl_media=False,
        )
        await self.outbox.sent(delivery, str(answer["ts"]), _digest(message))
        meters.DELIVERIES.add(delivery.post.kind, "posted")
        logger.info("posted: %s", delivery.post.kind)
        _note_card_time(delivery)

    async def _may_leave(self, delivery: Delivery) -> bool:
        """At its channel's time. Its claim has marked it; after a look it is marked anew, if nobody else has it now."""
        channel, number = delivery.post.channel, delivery.fence.id
        if wait := self.pace.left(channel):
            await self.sleep(wait)
        self.pace.leaves(channel)
        if number not in self._unsent:
            return await self.outbox.sending(delivery)
        self._unsent.discard(number)
        return True

    # -- looking for a post of ours, by the key in its metadata -------------------------------------------------

    async def _find_ours(self, bot_client: BotClient, delivery: Delivery) -> str | None:
        """The ts of our post with this delivery's key, if it stands there.

        How far was read is kept: where Slack lets a thread be read once a minute, the next try goes on from there.
        """
        looked_to = delivery.looked_to
        try:
            channel = await conversation(bot_client, delivery)
            while True:
                found = await page(bot_client, delivery, channel, looked_to)
                messages = found.get("messages") or ()
                if ours := next((each for each in messages if is_ours(each, bot_client, delivery.post.key)), None):
                    return str(ours["ts"])
                if not found.get("has_more"):
                    return None
                looked_to = further(delivery, looked_to, [str(each["ts"]) for each in messages])
                await self.outbox.looked(delivery, looked_to)
        except CALL_ERRORS as error:
            if trouble_of(error).meaning is Meaning.REFUSED or delivery.tried_for > LOOK_FOR:
                raise CannotLookError from error
            raise

    # -- when Slack does not take it ----------------------------------------------------------------------------

    async def _stumbled(self, kind: Kind, delivery: Delivery, trouble: SlackTrouble) -> None:
        level = logging.INFO if trouble.code == RATE_LIMITED else logging.WARNING  # of that the waits tell once
        logger.log(level, "%s: Slack says %s (%s)", delivery.post.key, trouble.code, trouble.meaning)
        retried = trouble.meaning in {Meaning.WAIT, Meaning.OPEN}
        meters.DELIVERIES.add(delivery.post.kind, "retried" if retried else "refused")
        if trouble.meaning is Meaning.WAIT:
            await self._wait(kind, delivery, trouble)
        elif trouble.meaning is Meaning.OPEN and delivery.fence.id in self._unsent:
            await self.outbox.not_sent(delivery, self._patience(delivery), trouble.code)
        elif trouble.meaning is Meaning.OPEN:
            await self.outbox.outcome_open(delivery, self._settled_in(delivery), trouble.code)
        else:
            await self._refused(kind, delivery, trouble.code)

    async def _wait(self, kind: Kind, delivery: Delivery, trouble: SlackTrouble) -> None:
        if delivery.age > GIVE_UP_AFTER and not delivery.ts:
            await self._refused(kind, delivery, trouble.code)
            return
        wait = trouble.wait if trouble.code == RATE_LIMITED else self._patience(delivery)
        if delivery.may_stand_already:
            await self.outbox.outcome_open(delivery, wait, trouble.code)  # it may be the look that has to wait
            return
        if trouble.code == RATE_LIMITED and not delivery.ts:
            self.pace.rest(delivery.post.channel, wait)  # others of the channel need not be taken before that
        await self.outbox.not_sent(delivery, wait, trouble.code)

    def _patience(self, delivery: Delivery) -> float:
        return min(self._timing.backoff(delivery.attempt), LONGEST_WAIT)

    def _settled_in(self, delivery: Delivery) -> float:
        """Not before it must have landed; while nobody answers, less and less often. However many died over it: what they
        would have heard, nobody knows."""
        return max(self._timing.settle, min(delivery.tried_for, LONGEST_WAIT))

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


async def _with_entities(call: Callable[..., Any], message: Message, metadata: dict[str, Any], **arguments: Any) -> Any:
    """A message is whole without its Work Objects: where Slack does not take them, it goes without."""
    if message.entities:
        try:
            told = {**metadata, "entities": message.entities}
            return await call(**message.as_arguments(), metadata=told, **arguments)
        except SlackApiError as error:
            trouble = trouble_of(error)
            if trouble.meaning is not Meaning.MALFORMED and "metadata" not in trouble.code:
                raise
            logger.warning("Slack does not take our Work Objects (%s): posted without them", trouble.code)
    return await _tolerating_our_faults(call, message, metadata=metadata, **arguments)


def _metadata(delivery: Delivery) -> dict[str, Any]:
    return {"event_type": METADATA_TYPE, "event_payload": {"key": delivery.post.key}}


def _note_card_time(delivery: Delivery) -> None:
    """From the click to the card, also where the card takes the place of the button's message."""
    waited = meters.CARDS_AWAITED.end(delivery.post.key.rpartition(":")[0], delivery.post.channel)
    if waited is not None:
        meters.CARD_TIME.observe(waited)


def _digest(message: Message) -> str:
    return sha256(dumps(message.as_arguments(), sort_keys=True).encode()).hexdigest()
