"""Whoever asks for an investigation: the way in, and what only they are told of it where no card says it."""

import json
from dataclasses import dataclass
from typing import Any

from bot.datadog.trouble import Trouble, TroubleKind
from bot.investigations import answers, questions
from bot.investigations.message_alerts import message_text
from bot.investigations.model import Investigation
from bot.investigations.repository import InvestigationRepository
from bot.investigations.requests import INVESTIGATE, Investigate, Outcome, Reception, Requests
from bot.model import Ask, EarlierRun, MessageRef, Source
from bot.orgs.model import Undecided
from bot.orgs.questions import org_words
from bot.rules import no_start
from bot.rules.budget import CoolingDown, OverBudget
from bot.rules.org_choice import WhichOrg
from bot.rules.permissions import Allowed, NotAllowed, Permissions
from bot.rules.repository import RuleRepository
from bot.slack.blocks import Message
from bot.slack.errors import SlackTrouble
from bot.slack.interactions import Interaction
from bot.slack.listeners import After
from bot.slack.replies import Modals, Replies


@dataclass(frozen=True, slots=True)
class StartRequests:
    """Written down before Slack is told that we have it. The ask worker judges, starts and answers."""

    requests: Requests
    person: "AskAnswers"

    async def start(self, interaction: Interaction, request: Investigate, org: str = "") -> After:
        ask = Ask(interaction.key, request.subject, interaction.place, interaction.person, request.source, org)
        return None if await self.requests.receive(ask) else self._again(ask)

    async def run_again(self, click: Interaction) -> After:
        return await self.start(click, Investigate(EarlierRun(click.number), Source.BUTTON))

    async def _again(self, ask: Ask) -> None:
        await self.person.hears(ask, Outcome(Reception.REPEATED, await self.requests.started_by(ask.key)))


@dataclass(frozen=True, slots=True)
class AskAnswers:
    """What the person is told where no card says it; only they see it."""

    repository: InvestigationRepository
    permissions: Permissions
    rules: RuleRepository
    which_org: WhichOrg
    replies: Replies
    modals: Modals

    async def waits_for_look_up(self, ask: Ask) -> None:
        await self._tell(ask, answers.looking_up(ask.subject))

    async def waits_to_read(self, ask: Ask, wait: float) -> None:
        await self._tell(ask, answers.waits_to_read(wait))

    async def could_not_read(self, ask: Ask, trouble: SlackTrouble) -> None:
        await self._tell(ask, answers.could_not_read(trouble, channel=ask.place.channel))

    async def waits_longer(self, ask: Ask, failure: Trouble, until: float) -> None:
        await self._tell(ask, answers.still_looking(failure, until))

    async def hears_of_trouble(self, ask: Ask, failure: Trouble) -> None:
        await self._tell(ask, answers.lookup_failed(ask.subject, failure))

    async def has_named_nothing(self, ask: Ask) -> None:
        match ask.subject:
            case MessageRef(message, trigger_id):
                await self._is_asked_for_words(ask, message, trigger_id)
            case EarlierRun():
                await self._tell(ask, answers.gone())
            case _:
                await self.hears_of_trouble(ask, Trouble(TroubleKind.NO_ALERT))

    async def _is_asked_for_words(self, ask: Ask, message: dict[str, Any], trigger_id: str) -> None:
        place = {"channel": ask.place.channel, "thread_ts": ask.place.thread_ts}
        view = questions.question_modal(prefill=message_text(message), metadata=json.dumps(place))
        await self.modals.open(Interaction(ask.key, ask.place, ask.requester, trigger_id=trigger_id), view)

    async def hears(self, ask: Ask, outcome: Outcome) -> None:
        if message := await self._message(ask, outcome):
            await self._tell(ask, message)

    async def _tell(self, ask: Ask, message: Message) -> None:
        await self.replies.tell(ask.place, ask.requester, message)

    async def _message(self, ask: Ask, outcome: Outcome) -> Message | None:
        if outcome.reception is Reception.REFUSED:
            return await self._refusal(ask, outcome)
        if outcome.reception is Reception.STARTED or outcome.investigation is None:
            return None
        permalink = await self._card_link(ask.place.workspace, outcome.investigation)
        asker = await self.repository.asker_in(ask.place.workspace, outcome.investigation.id)
        return answers.already(outcome.investigation, permalink, asker)

    async def _card_link(self, workspace: str, investigation: Investigation) -> str:
        """To its first card in this workspace; empty while there is none."""
        cards = await self.repository.card_of(investigation.id, workspace)
        card = next(((channel, ts or thread) for channel, thread, ts in cards if ts or thread), None)
        return (await self.replies.permalink(workspace, *card) if card else "") or ""

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
