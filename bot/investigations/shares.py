"""Sharing an answer: to a channel that may see its organisation, once for each window that is submitted."""

import logging
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from sqlalchemy import Row, select

from bot.investigations import answers, report_window, share_view
from bot.investigations.conclusions_view import ASK_SHARE
from bot.investigations.model import Investigation
from bot.investigations.posts import ShownInvestigations
from bot.investigations.results import LOOK
from bot.investigations.tables import CONCLUSIONS, EARLIER, SHARED, shares
from bot.investigations.vote_book import VoteBook
from bot.model import Place
from bot.orgs.model import Undecided
from bot.rules.org_choice import OrgChooser
from bot.rules.permissions import NotAllowed, Permissions
from bot.slack.blocks import Message
from bot.slack.forms import FormState
from bot.slack.gates import Judged
from bot.slack.interactions import Interaction
from bot.slack.listeners import After, Listeners, Submitted
from bot.slack.poster import Urgency
from bot.slack.replies import Modals, Replies
from bot.storage.engine import Database
from bot.storage.outbox import Delivery, NewPost, enqueue
from bot.storage.tables import deliveries, place_of

logger = logging.getLogger(__name__)


class ShareBook:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, key: str, known: Investigation, place: Place, person: str, *, target: str, note: str) -> bool:
        """Written down together with the message that is owed; False for a window that was submitted before."""
        ref = secrets.token_hex(8)
        values = {"key": key, "ref": ref, "investigation_id": known.id, **asdict(place), "person": person}
        values |= {"target": target, "note": note, "created_at": self._database.now}
        async with self._database.transaction() as connection:
            made = self._database.insert_new(shares).values(**values).returning(shares.c.id)
            number = (await connection.execute(made)).scalar()
            if number is not None:
                await enqueue(self._database, connection, _post(number, ref, place.workspace, target, person))
        return number is not None

    async def get(self, number: int) -> Row[Any] | None:
        return await self._database.first(select(shares).where(shares.c.id == number))

    async def answer_in(self, place: Place, investigation_id: int) -> str:
        """The message with the answer in this thread; the thread's first where there is none."""
        table = deliveries.c
        here = (table.workspace == place.workspace, table.channel == place.channel, table.ts.is_not(None))
        shows = (table.kind.in_([CONCLUSIONS, EARLIER]), table.subject_id == investigation_id)
        in_thread = table.thread_ts.in_([place.thread_ts, ""])  # where the card opens it, its answer knows no thread
        query = select(table.ts).where(*here, *shows, in_thread)
        query = query.order_by((table.thread_ts == place.thread_ts).desc(), table.id.desc()).limit(1)
        row = await self._database.first(query)
        return str(row.ts) if row else place.thread_ts


def _post(number: int, ref: str, workspace: str, target: str, person: str) -> NewPost:
    key = f"{SHARED}:{ref}"
    return NewPost(key, SHARED, key, number, workspace, target, requester=person)


@dataclass(frozen=True, slots=True)
class ShareListeners:
    book: ShareBook
    shown: ShownInvestigations
    permissions: Permissions
    chooser: OrgChooser
    modals: Modals

    def register(self, on: Listeners) -> None:
        on.action(ASK_SHARE, self.ask, LOOK)
        on.submission(share_view.CALLBACK, self.share, Judged("the form, which keeps what was typed"))

    async def ask(self, click: Interaction) -> After:
        known, place = await self.shown.asked_for_in(click.workspace, click.number), click.place
        if known is None or not known.conclusions:
            return answers.gone()
        view = share_view.share_modal(known, channel=place.channel, thread_ts=place.thread_ts)
        return self.modals.open(click, view)

    async def share(self, window: Interaction) -> Submitted:
        number, _ = report_window.read_metadata(window.metadata)
        known, form = await self.shown.asked_for_in(window.workspace, number), FormState(window.view)
        target, note = form.conversation(share_view.CHANNEL), form.text(share_view.NOTE)
        if known is None or not known.conclusions:
            return Submitted(errors={share_view.CHANNEL: answers.LOST})
        if problem := await self._problem(window, known, target):
            return Submitted(errors={share_view.CHANNEL: problem})
        key = f"{window.workspace}:{window.view_id}"
        if await self.book.add(key, known, window.place, window.person, target=target, note=note):
            logger.info("an answer is shared to %s: %s", target, known.ref)
        return Submitted(after=share_view.sharing(target), clears=True)

    async def _problem(self, window: Interaction, known: Investigation, target: str) -> str:
        """Why it can't go there, as far as that is ours to say; what Slack has against it comes later."""
        if not target:
            return share_view.NO_CHANNEL
        there = Place(window.workspace, target)
        if isinstance(await self.permissions.may_look(window.place, window.person), NotAllowed):
            return share_view.NOT_HERE
        if isinstance(await self.permissions.may_look(there, window.person), NotAllowed):
            return share_view.NOT_THERE
        return "" if await may_see(self.chooser, there, known.org) else share_view.OTHER_ORG


async def may_see(chooser: OrgChooser, place: Place, org: str) -> bool:
    """Whether an organisation's answers are for a channel: it works with that one, or has chosen none of several."""
    facts = await chooser.facts(place)
    meant = facts.org("")
    return facts.still(org) == org and (meant == org or isinstance(meant, Undecided))


@dataclass(frozen=True, slots=True)
class SharePost:
    """The message in the other channel."""

    urgency: ClassVar[Urgency] = Urgency.ANSWER

    book: ShareBook
    shown: ShownInvestigations
    votes: VoteBook
    chooser: OrgChooser
    replies: Replies
    app_url: Callable[[str], str]

    async def message(self, delivery: Delivery, *, may_repeat: bool) -> Message | None:
        row = await self.book.get(delivery.post.subject_id)
        known = await self.shown.asked_for_in(row.workspace, row.investigation_id) if row else None
        if row is None or known is None or not known.conclusions:
            return None
        if not await may_see(self.chooser, Place(row.workspace, row.target), known.org):
            return None
        return share_view.shared_message(
            known,
            by=row.person,
            note=row.note,
            from_channel=row.channel,
            link=await self._link(place_of(row), known.id),
            app_url=self.app_url(known.org),
            may_repeat=may_repeat,
            votes=await self.votes.of(row.workspace, known.id),
        )

    async def _link(self, place: Place, investigation_id: int) -> str:
        ts = await self.book.answer_in(place, investigation_id) if place.channel else ""
        return (await self.replies.permalink(place.workspace, place.channel, ts) if ts else "") or ""

    async def refused(self, delivery: Delivery, code: str) -> None:
        """Who shares it is told why, where they shared it."""
        row = await self.book.get(delivery.post.subject_id)
        if row is not None:
            await self.replies.tell(place_of(row), row.person, share_view.not_shared(code, channel=row.target))
