"""Tells a person why nothing was started, with what she may do about it."""

from dataclasses import replace

from bot.investigations.budget import CoolingDown, OverBudget
from bot.investigations.desk import Outcome
from bot.investigations.model import Ask, Place
from bot.investigations.org_entries import Undecided
from bot.investigations.policy import Allowed, Refused
from bot.investigations.rule_book import RuleBook
from bot.slack.gate import Gate
from bot.slack.views import no_start
from bot.slack.views.message import Message
from bot.slack.views.org_answers import org_words
from bot.slack.voice import Voice
from bot.slack.which_org import WhichOrg


class Refusing:
    def __init__(self, gate: Gate, rules: RuleBook, voice: Voice, which_org: WhichOrg) -> None:
        self._gate = gate
        self._rules = rules
        self._voice = voice
        self._which_org = which_org

    async def tell(self, ask: Ask, outcome: Outcome) -> None:
        """For asks that were refused after a look-up, when the gesture is long answered."""
        if isinstance(outcome.refusal, Undecided):
            outcome = replace(outcome, refusal=await self._which_org.asked_later(ask, outcome.refusal))
        message = await self.words(ask.place, ask.requester, outcome)
        if message is not None and ask.requester:
            await self._voice.tell(ask.place, ask.requester, message)

    async def words(self, place: Place, person: str, outcome: Outcome) -> Message | None:
        match outcome.refusal:
            case Refused() as refused:
                return no_start.refused(refused)
            case OverBudget() as over:
                exceeds = await self._gate.may_exceed(place, person)
                rules = await self._rules.of(place.workspace, place.channel)
                ask_id = outcome.ask_id if isinstance(exceeds, Allowed) else 0
                return no_start.over_budget(over, rules.starters, ask_id=ask_id)
            case CoolingDown() as cooling:
                return no_start.cooling_down(cooling)
            case None:
                return None
            case no_org:
                return org_words(no_org)
