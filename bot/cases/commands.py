"""The command `case`: what people may write after it, and what it does."""

import asyncio
import logging
from dataclasses import dataclass

from bot.cases.catalog import Catalogs
from bot.cases.form import CASE_FORM, CaseForms, case_refusal
from bot.cases.model import CaseSource
from bot.cases.repository import CaseRepository
from bot.cases.views import answers
from bot.datadog.links import case_named
from bot.datadog.trouble import Trouble, TroubleKind, or_trouble
from bot.orgs.questions import OrgQuestions, Resumable
from bot.orgs.repository import OrgRepository
from bot.rules.org_choice import WhichOrg
from bot.rules.permissions import Permissions
from bot.slack.commands import Command, Invalid, link_in, split_word, unquoted
from bot.slack.interactions import Interaction
from bot.slack.listeners import After
from bot.slack.message import Message
from bot.slack.replies import Replies
from bot.slack.text import code, one_line
from bot.wording import CASE, CASES

logger = logging.getLogger(__name__)

SLOW = 1.0
LOOKUP_WAIT = 12.0


@dataclass(frozen=True, slots=True)
class ShowCase:
    id: str  # a key or Datadog's id


@dataclass(frozen=True, slots=True)
class NewCase:
    title: str = ""  # untrusted


SHOW_CASE = Resumable("case", ShowCase)


@dataclass(frozen=True, slots=True)
class CaseCommands:
    """What can be typed: the card of a case somebody names, or the form of a new one."""

    forms: CaseForms
    cases: CaseRepository
    catalogs: Catalogs
    orgs: OrgRepository
    permissions: Permissions
    which_org: WhichOrg
    replies: Replies

    def commands(self) -> tuple[Command[ShowCase | NewCase]]:
        usage = (
            (f"<{CASE} key or link>", f"the card of a {CASE}, to work on it from here"),
            ("new [title]", f"open a {CASE}"),
        )
        return (Command("case", usage, read_case, self.run, (CASES,)),)

    def go_on_after(self, questions: OrgQuestions) -> None:
        questions.when_answered(SHOW_CASE, self.show)
        questions.when_answered(CASE_FORM, self.forms.go_on)

    async def run(self, typed: Interaction, request: ShowCase | NewCase) -> After:
        if isinstance(request, ShowCase):
            return await self.show(typed, request, "")
        if not typed.trigger_id:  # a mention gives no right to open a window
            return answers.press_to_open(request.title)
        return self.forms.open(typed, CaseSource(title=request.title))

    async def show(self, interaction: Interaction, request: ShowCase, org: str) -> After:
        """Where no organisation is given it is found out, or asked for."""
        return self._show(interaction, request, org)

    async def _show(self, interaction: Interaction, request: ShowCase, org: str) -> None:
        place, person = interaction.place, interaction.person
        if refusal := await case_refusal(self.permissions, place, person):
            await self.replies.tell(place, person, refusal)
            return
        org = org or await self.which_org.of(interaction, "", SHOW_CASE.record(request))
        if not org:
            return
        looking = asyncio.create_task(self._look_up(interaction, request.id, org), name="case look-up")
        try:
            ready, _ = await asyncio.wait({looking}, timeout=SLOW)
            if not ready:
                await self.replies.tell(place, person, answers.looking_up(request.id))
            message = await looking
        finally:
            looking.cancel()
        if message is not None:
            await self.replies.tell(place, person, message)

    async def _look_up(self, interaction: Interaction, identifier: str, org: str) -> Message | None:
        """The case's card is owed to where it was asked for; only what that card can't say is answered."""
        connected = await self.orgs.get(org)
        if connected is None:
            return answers.lookup_failed(Trouble(TroubleKind.NO_ORG))
        case = await or_trouble(connected.cases.get(identifier), LOOKUP_WAIT)
        if isinstance(case, Trouble):
            logger.info("case look-up failed: %s", case.kind)
            missing = case.kind is TroubleKind.NOT_FOUND
            return answers.unknown_case(identifier) if missing else answers.lookup_failed(case)
        await self.catalogs.learn_names(org)
        place = interaction.place
        known = await self.cases.remember(org, case, place=place, person=interaction.person, card=True)
        card_ts = await self.cases.card_ts(known.id, place)
        if not card_ts:
            return None
        permalink = await self.replies.permalink(place.workspace, place.channel, card_ts)
        return answers.card_stands(known, self.orgs.app_url(org), permalink)


def read_case(rest: str) -> ShowCase | NewCase | Invalid:
    first, more = split_word(unquoted(rest))
    if first.lower() in {"new", "create"}:
        return NewCase(one_line(unquoted(more), 200))
    words = [word for word in unquoted(rest).split() if word.lower() not in {"show", "the", CASE}]
    if named := case_named(link_in(" ".join(words))) or case_named(link_in(words[0]) if words else ""):
        return ShowCase(named)
    given = f"{code(' '.join(words), 80)} names no {CASE}." if words else f"Tell me which {CASE}."
    return Invalid(f"{given} Give its key, like `CASEM-42`, or its link; `case new` opens the form of a new one.")
