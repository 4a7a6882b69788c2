"""One way from what a person asks for to its answer: whatever starts an investigation goes through here."""

from dataclasses import dataclass, replace

from bot.datadog.trouble import Trouble
from bot.investigations.model import Investigation
from bot.investigations.repository import InvestigationRepository
from bot.investigations.requests import Outcome, Reception, Requests
from bot.investigations.views import answers
from bot.model import Ask, Source, Subject, ThreadRef
from bot.orgs.model import NoOrg, Undecided
from bot.orgs.questions import Resumable, org_words
from bot.rules import no_start
from bot.rules.budget import CoolingDown, OverBudget, Terms
from bot.rules.org_choice import PlaceFacts, WhichOrg, host_of
from bot.rules.permissions import Allowed, NotAllowed, Permissions
from bot.rules.repository import RuleRepository
from bot.slack.blocks import Message
from bot.slack.interactions import Interaction
from bot.slack.listeners import After
from bot.slack.replies import Replies


@dataclass(frozen=True, slots=True)
class Investigate:
    subject: Subject
    source: Source = Source.COMMAND


INVESTIGATE = Resumable("investigate", Investigate)


@dataclass(frozen=True, slots=True)
class StartRequests:
    requests: Requests
    repository: InvestigationRepository
    permissions: Permissions
    rules: RuleRepository
    which_org: WhichOrg
    replies: Replies

    async def start(self, interaction: Interaction, request: Investigate, org: str = "") -> After:
        """Written down, if the person may have it, before Slack is told that we have it; then the person is answered."""
        ask = Ask(interaction.key, request.subject, interaction.place, interaction.person, request.source)
        facts = await self.which_org.facts(ask.place)
        verdict = await self.permissions.may_start_by(facts.rules, ask.requester)
        if isinstance(verdict, NotAllowed):
            return self.answer(ask, await self.requests.refuse(ask, verdict))
        choice = org or _org_meant(facts, request.subject)
        if not isinstance(choice, str):
            return self.answer(ask, Outcome(Reception.REFUSED, refusal=choice))
        ask = replace(ask, org=choice)
        return self.answer(ask, await self.requests.ask(ask, Terms(facts.limits, verdict.rule)))

    async def run_again(self, click: Interaction) -> After:
        """A new run of what the button's investigation was about."""
        before = await self.repository.get_in(click.workspace, click.number)
        subject = (before.alert or before.question) if before else None
        if before is None or subject is None:
            return answers.gone()
        ask = Ask(click.key, subject, click.place, click.person, Source.BUTTON, before.org)
        facts = await self.which_org.facts(ask.place)
        verdict = await self.permissions.may_start_by(facts.rules, ask.requester)
        if isinstance(verdict, NotAllowed):
            outcome = await self.requests.refuse(ask, verdict)
        else:
            outcome = await self.requests.run_again(ask, before.run, Terms(facts.limits, verdict.rule))
        return self.answer(ask, outcome)

    # -- what the person is told where no card says it: only they see it ----------------------------------------

    async def answer(self, ask: Ask, outcome: Outcome) -> None:
        message = await self._message(ask, outcome)
        if message is not None and ask.requester:
            await self.replies.tell(ask.place, ask.requester, message)

    async def lookup_failed(self, ask: Ask, failure: Trouble) -> None:
        await self.replies.tell(ask.place, ask.requester, answers.lookup_failed(ask.subject, failure))

    async def _message(self, ask: Ask, outcome: Outcome) -> Message | None:
        match outcome.reception:
            case Reception.LOOKING_UP:
                return answers.looking_up(ask.subject)
            case Reception.REFUSED:
                return await self._refusal(ask, outcome)
            case Reception.ALREADY_HERE | Reception.FOLLOWING | Reception.REPEATED if outcome.investigation:
                permalink = await self._card_link(ask.place.workspace, outcome.investigation)
                return answers.already(outcome.investigation, permalink)
            case _:
                return None

    async def _card_link(self, workspace: str, investigation: Investigation) -> str:
        """To its first card in this workspace; empty while there is none."""
        cards = await self.repository.card_of(investigation.id, workspace)
        card = next(((channel, ts or thread) for channel, thread, ts in cards if ts or thread), None)
        return await self.replies.permalink(workspace, *card) if card else ""

    async def _refusal(self, ask: Ask, outcome: Outcome) -> Message | None:
        match outcome.refusal:
            case NotAllowed() as refused:
                return no_start.refused(refused)
            case OverBudget() as over:
                exceeds = await self.permissions.may_exceed(ask.place, ask.requester)
                rules = await self.rules.of(ask.place.workspace, ask.place.channel)
                ask_id = outcome.ask_id if isinstance(exceeds, Allowed) else 0
                return no_start.over_budget(over, rules.starters, ask_id=ask_id)
            case CoolingDown() as cooling:
                return no_start.cooling_down(cooling)
            case Undecided() as undecided:
                request = INVESTIGATE.record(Investigate(ask.subject, ask.source))
                return org_words(await self.which_org.asked(undecided, ask.key, ask.place, ask.requester, request))
            case None:
                return None
            case no_org:
                return org_words(no_org)


def _org_meant(facts: PlaceFacts, subject: Subject) -> str | NoOrg:
    """Empty for a thread that is still to be read: its alert's link says which one."""
    return "" if isinstance(subject, ThreadRef) else facts.org(host_of(subject))
