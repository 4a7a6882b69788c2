"""One way from what a person asks for to its answer: every listener that starts something goes through here."""

import logging
from dataclasses import replace

from bot.investigations.commands import INVESTIGATE, Investigate
from bot.investigations.requests import Outcome, Reception
from bot.investigations.views import answers
from bot.model import Ask, Source, Subject, ThreadRef
from bot.orgs.model import NoOrg
from bot.rules.budget import Terms
from bot.rules.org_choice import PlaceFacts, host_of
from bot.rules.policy import NotAllowed
from bot.services import Services
from bot.slack.interactions import Interaction
from bot.slack.message import Message

logger = logging.getLogger(__name__)


async def receive(
    services: Services, interaction: Interaction, subject: Subject, source: Source, *, org: str = ""
) -> Outcome:
    """Write down what was asked for, if the person may have it. Called before Slack is told that we have it."""
    services.replies.remember(interaction.place, interaction.person, interaction.response_url)
    facts = await services.which_org.facts(interaction.place)
    verdict = await services.permissions.may_start_by(facts.rules, interaction.person)
    ask = Ask(interaction.key, subject, interaction.place, interaction.person, source, org)
    if isinstance(verdict, NotAllowed):
        return await services.requests.refuse(ask, verdict)
    choice = org or await _org_of(services, interaction, subject, source, facts)
    if isinstance(choice, str):
        return await services.requests.ask(replace(ask, org=choice), Terms(facts.limits, verdict.rule))
    return Outcome(Reception.REFUSED, refusal=choice)


async def _org_of(
    services: Services, interaction: Interaction, subject: Subject, source: Source, facts: PlaceFacts
) -> str | NoOrg:
    """Empty for a thread that is still to be read: its alert's link says which one."""
    if isinstance(subject, ThreadRef):
        return ""
    record = INVESTIGATE.record(Investigate(subject, source))
    return await services.which_org.decide(facts.org(host_of(subject)), interaction, record)


async def receive_again(services: Services, interaction: Interaction, investigation_id: int) -> Outcome | None:
    """A new run of an investigation; None when there is nothing to run again."""
    services.replies.remember(interaction.place, interaction.person, interaction.response_url)
    subject, before = await services.requests.again(investigation_id)
    if subject is None or before is None:
        return None
    ask = Ask(interaction.key, subject, interaction.place, interaction.person, Source.BUTTON, before.org)
    facts = await services.which_org.facts(interaction.place)
    verdict = await services.permissions.may_start_by(facts.rules, interaction.person)
    if isinstance(verdict, NotAllowed):
        return await services.requests.refuse(ask, verdict)
    return await services.requests.run_again(ask, before.run, Terms(facts.limits, verdict.rule))


def answer_later(services: Services, interaction: Interaction, subject: Subject | None, outcome: Outcome) -> None:
    """Tell the person what became of it where the card does not say so already."""
    services.tasks.spawn(_answer(services, interaction, subject, outcome), "answer to a gesture")


async def _answer(services: Services, interaction: Interaction, subject: Subject | None, outcome: Outcome) -> None:
    message = await _words(services, interaction, subject, outcome)
    if message is not None:
        await services.replies.tell(interaction.place, interaction.person, message)


async def _words(
    services: Services, interaction: Interaction, subject: Subject | None, outcome: Outcome
) -> Message | None:
    match outcome.reception:
        case Reception.LOOKING_UP:
            return answers.looking_up(subject)
        case Reception.REFUSED:
            return await services.refusing.words(interaction.place, interaction.person, outcome)
        case Reception.ALREADY_HERE | Reception.FOLLOWING | Reception.REPEATED if outcome.investigation is not None:
            permalink = await services.notices.card_link(interaction.place.workspace, outcome.investigation.id)
            requester = outcome.investigation.requested_by
            return answers.already(outcome.investigation, permalink=permalink, requester=requester)
        case _:
            return None
