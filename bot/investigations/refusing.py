"""Tells a person why nothing was started, and what can be done about it."""

from dataclasses import replace

from bot.investigations.commands import INVESTIGATE, Investigate
from bot.investigations.requests import Outcome
from bot.model import Ask, Place
from bot.orgs.answers import org_words
from bot.orgs.model import Undecided
from bot.rules.budget import CoolingDown, OverBudget
from bot.rules.org_choice import WhichOrg
from bot.rules.permissions import Permissions
from bot.rules.policy import Allowed, NotAllowed
from bot.rules.repository import RuleRepository
from bot.rules.views import no_start
from bot.slack.message import Message
from bot.slack.replies import Replies


class Refusing:
    def __init__(self, permissions: Permissions, rules: RuleRepository, replies: Replies, which_org: WhichOrg) -> None:
        self._permissions = permissions
        self._rules = rules
        self._replies = replies
        self._which_org = which_org

    async def tell(self, ask: Ask, outcome: Outcome) -> None:
        """For asks that were refused after a look-up, when the gesture is long answered."""
        if isinstance(outcome.refusal, Undecided):
            request = INVESTIGATE.record(Investigate(ask.subject, ask.source))
            question = await self._which_org.asked(outcome.refusal, ask.key, ask.place, ask.requester, request)
            outcome = replace(outcome, refusal=question)
        message = await self.words(ask.place, ask.requester, outcome)
        if message is not None and ask.requester:
            await self._replies.tell(ask.place, ask.requester, message)

    async def words(self, place: Place, person: str, outcome: Outcome) -> Message | None:
        match outcome.refusal:
            case NotAllowed() as refused:
                return no_start.refused(refused)
            case OverBudget() as over:
                exceeds = await self._permissions.may_exceed(place, person)
                rules = await self._rules.of(place.workspace, place.channel)
                ask_id = outcome.ask_id if isinstance(exceeds, Allowed) else 0
                return no_start.over_budget(over, rules.starters, ask_id=ask_id)
            case CoolingDown() as cooling:
                return no_start.cooling_down(cooling)
            case None:
                return None
            case no_org:
                return org_words(no_org)
