"""Who is owed a digest now: written down once for each channel and week, together with its message, then posted by the outbox."""

import logging
import secrets
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import select

from bot.digest.report import WEEK, ReportReader
from bot.digest.tables import DIGEST, digests
from bot.digest.views import digest_message
from bot.rules.model import ChannelRules
from bot.rules.repository import RuleRepository
from bot.rules.tables import channel_rules
from bot.rules.weekly import WeeklyTime, read_weekly
from bot.slack.blocks import Message, context
from bot.slack.poster import Urgency
from bot.storage.engine import Database
from bot.storage.outbox import Delivery, NewPost, enqueue

logger = logging.getLogger(__name__)

LOOKED_EVERY = 3600.0  # seconds, for what another replica was told
FIRST_AFTER = 5.0
LATE = 24 * 3600.0  # a bot that was away for longer lets the week go


@dataclass(frozen=True, slots=True)
class WeeklyDigests:
    database: Database
    rules: RuleRepository

    async def step(self) -> float | None:
        """The answer is in how many seconds the next one is due."""
        wanted = await self.rules.with_digest()
        if not wanted:
            return None
        ((told,),) = await self.database.all(select(self.database.now))
        now, waits = float(told), []
        for rules in wanted:
            time = read_weekly(rules.digest)
            if time.has_zone:
                await self._owe(rules, time, now)
                waits.append(time.week(now + WEEK)[1] - now)
            else:
                logger.warning("no digest for %s: this machine knows no time zone %s", rules.channel, time.zone)
        return min(waits, default=None)

    async def _owe(self, rules: ChannelRules, time: WeeklyTime, now: float) -> None:
        since, until = time.week(now)
        if now - until > LATE:
            return
        async with self.database.transaction() as connection:
            table, set_by = digests.c, channel_rules.c
            here = (table.workspace == rules.workspace, table.channel == rules.channel)
            last = (
                await connection.execute(select(table.until).where(*here).order_by(table.until.desc()).limit(1))
            ).scalar()
            if last is not None and until - last < LATE:
                return  # told, or the time was moved by hours since
            changed = select(set_by.changed_at).where(
                set_by.workspace == rules.workspace, set_by.channel == rules.channel
            )
            changed_at = None if rules.from_file else (await connection.execute(changed)).scalar()
            if last is None and changed_at is not None and changed_at > until:
                return  # switched on since: the first one comes at the end of the week
            ref = secrets.token_hex(8)
            values = {
                "ref": ref,
                "workspace": rules.workspace,
                "channel": rules.channel,
                "since": since,
                "until": until,
            }
            made = self.database.insert_new(digests).values(**values).returning(table.id)
            row = (await connection.execute(made)).first()
            if row is not None:  # else another replica was faster
                post = NewPost(f"{DIGEST}:{ref}", DIGEST, f"{DIGEST}:{ref}", row.id, rules.workspace, rules.channel)
                await enqueue(self.database, connection, post)


@dataclass(frozen=True, slots=True)
class DigestPost:
    urgency: ClassVar[Urgency] = Urgency.ALERT

    database: Database
    reader: ReportReader

    async def message(self, delivery: Delivery, *, may_repeat: bool) -> Message | None:
        row = await self.database.first(select(digests).where(digests.c.id == delivery.post.subject_id))
        if row is None:
            return None
        message = digest_message(await self.reader.of(row.workspace, row.channel, row.since, row.until))
        if not may_repeat:
            return message
        told = context("It may stand above already: Slack did not say whether it took it.")
        return Message(message.text, [*message.blocks, told], message.plainer)

    async def refused(self, delivery: Delivery, code: str) -> None:
        logger.warning("a digest was not posted in %s: %s", delivery.post.channel, code)
