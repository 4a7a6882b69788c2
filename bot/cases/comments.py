"""Comments both ways: what people say of a case in its thread goes to Datadog, what is said there comes into the thread.

Never an echo: a comment that was made through us is not told again, and a reply that tells one is not sent back.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.cases.actions import CaseActions
from bot.cases.form import WORK_ON_CASES, case_refusal
from bot.cases.model import CaseAction, CaseActionKind
from bot.cases.repository import CaseRepository
from bot.cases.tables import CASE_CARD, CASE_COMMENT, case_comments, case_orders, case_places
from bot.datadog.cases import Comment
from bot.investigations.message_alerts import message_text
from bot.model import Place
from bot.orgs.repository import OrgRepository
from bot.rules.permissions import Permissions
from bot.rules.repository import RuleRepository
from bot.slack.blocks import Message, context, section, sentences
from bot.slack.interactions import Interaction
from bot.slack.listeners import After, Listeners
from bot.slack.people import People
from bot.slack.poster import Urgency
from bot.slack.text import code, cut_mrkdwn, escape, is_user, one_line
from bot.storage.engine import Database
from bot.storage.outbox import Delivery, NewPost, enqueue
from bot.storage.tables import deliveries, place_of
from bot.wording import CASE, COMMAND, DATADOG, is_said_in_slack

logger = logging.getLogger(__name__)

COMMENT_ON_CASE = "comment_on_case"
_LONGEST = 2_500


# -- from Slack ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CaseTalk:
    """What people say in the thread of a case."""

    cases: CaseRepository
    actions: CaseActions
    permissions: Permissions
    people: People

    def register(self, on: Listeners) -> None:
        on.shortcut(COMMENT_ON_CASE, self.from_message, WORK_ON_CASES)

    async def from_message(self, choice: Interaction) -> After:
        """Somebody's words under the name of who wrote them, whoever chose them."""
        words, writer = message_text(choice.message), str(choice.message.get("user") or "")
        if not words:
            return sentences("This message has no words that a comment could hold.")
        if await self._tells_a_comment(choice):
            return sentences(f"This comment was made in {DATADOG} and stands on the {CASE} already.")
        theirs = is_user(writer) and writer != choice.person
        author = await self.people.name(choice.workspace, writer) if theirs else ""
        return await self._take(choice, words, author) or sentences(
            f"I know no {CASE} of this thread. `{COMMAND} case <key>` shows one, with its own thread."
        )

    async def from_mention(self, mention: Interaction, words: str) -> Message | None:
        """A reply in a case's thread that begins with a mention and is no command; None in any other thread."""
        return await self._take(mention, words, "")

    async def _take(self, said: Interaction, words: str, author: str) -> Message | None:
        known = await self.cases.of_thread(said.place)
        if known is None:
            return None
        if refusal := await case_refusal(self.permissions, said.place, said.person):
            return refusal
        comment = CaseAction(said.key, known.id, said.place, said.person, CaseActionKind.COMMENT, words, author)
        await self.actions.take(comment)
        return sentences(f"This becomes a comment on {CASE} {code(known.name, 60)}. Its card says so once it is there.")

    async def _tells_a_comment(self, choice: Interaction) -> bool:
        table, ts = deliveries.c, str(choice.message.get("ts") or "")
        here = (table.workspace == choice.workspace, table.channel == choice.place.channel, table.ts == ts)
        query = select(table.id).where(table.kind == CASE_COMMENT, *here).limit(1)
        return await self.cases.database.first(query) is not None


# -- from Datadog -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CaseComments:
    """Where comments made in Datadog are owed, and that each is owed once."""

    database: Database
    rules: RuleRepository

    async def wanted_in(self, case_row: int) -> list[tuple[int, Place]]:
        """The threads with its card, with their numbers, in channels that want them."""
        query = select(case_places).where(case_places.c.case_row == case_row)
        cards = select(deliveries.c.lane).where(deliveries.c.kind == CASE_CARD, deliveries.c.subject_id == case_row)
        lanes = {row.lane for row in await self.database.all(cards)}
        places = [(row.id, place_of(row)) for row in await self.database.all(query) if _lane(row.id) in lanes]
        return [(number, place) for number, place in places if await self.wanted_at(place)]

    async def wanted_at(self, place: Place) -> bool:
        return (await self.rules.of(place.workspace, place.channel)).case.comments

    async def owe(self, case_row: int, places: Iterable[tuple[int, Place]], comments: Sequence[Comment]) -> None:
        """The oldest first."""
        async with self.database.transaction() as connection:
            first = await self._first_comment(connection, case_row)
            news = [each for each in comments if not is_said_in_slack(each.message) and _words(each.message) != first]
            for comment in news:
                for number, place in places:
                    await self._owe(connection, case_row, number, place, comment)

    async def _first_comment(self, connection: AsyncConnection, case_row: int) -> list[str]:
        """What we said ourselves when we opened the case."""
        query = select(case_orders.c.wanted).where(case_orders.c.case_row == case_row).limit(1)
        wanted = (await connection.execute(query)).scalar()
        return _words(wanted.comment) if wanted else []

    async def _owe(
        self, connection: AsyncConnection, case_row: int, number: int, place: Place, comment: Comment
    ) -> None:
        told = {"author": one_line(comment.author, 200), "message": comment.message, "created_at": self.database.now}
        key = f"{comment.id}:{number}"[:96]
        new = self.database.insert_new(case_comments).values(key=key, case_row=case_row, **asdict(place), **told)
        row = (await connection.execute(new.returning(case_comments.c.id))).first()
        if row is not None:
            post = NewPost(
                key=f"{CASE_COMMENT}:{key}",
                kind=CASE_COMMENT,
                thread_key=_lane(number),  # after the card, and under it where that opens the thread
                subject_id=row.id,
                **asdict(place),
            )
            await enqueue(self.database, connection, post)


def _lane(place_row: int) -> str:
    return f"case:{place_row}"


def _words(message: str) -> list[str]:
    """Datadog may tidy spaces and line ends."""
    return message.split()


@dataclass(frozen=True, slots=True)
class CaseCommentPost:
    """The kind of message a thread is owed of a comment made in Datadog."""

    urgency: ClassVar[Urgency] = Urgency.ANSWER

    cases: CaseRepository
    orgs: OrgRepository

    async def message(self, delivery: Delivery, *, may_repeat: bool) -> Message | None:  # noqa: ARG002  said twice it is still true
        row = await self.cases.database.first(
            select(case_comments).where(case_comments.c.id == delivery.post.subject_id)
        )
        known = await self.cases.get(row.case_row) if row else None
        if row is None or known is None or await self.orgs.withholds(known.org, delivery.post.workspace):
            return None
        return comment_message(known.name, row.author, row.message)

    async def refused(self, delivery: Delivery, code: str) -> None:
        logger.warning("%s: the channel does not take replies (%s)", delivery.post.key, code)


def comment_message(case: str, author: str, message: str) -> Message:
    """All three are Datadog's words, untrusted."""
    words = cut_mrkdwn(escape(message), _LONGEST) or "(without words)"
    who = f"{escape(author or 'Somebody')} commented on {CASE} {escape(case)} in {DATADOG}"
    return Message(f"{who}: {words}", [context(f"💬 {who}"), section(words)])
