"""One way from a person's wish to the desk and back to her: every listener that starts something goes through here."""

import logging
from dataclasses import replace

from bot.investigations.desk import Outcome, Reception
from bot.investigations.model import Ask, Source, Subject, ThreadRef
from bot.investigations.org_choice import host_of
from bot.investigations.org_entries import NoOrg
from bot.investigations.policy import Refused
from bot.slack.gestures import Gesture
from bot.slack.services import Services
from bot.slack.verbs import Investigate
from bot.slack.views import answers
from bot.slack.views.message import Message
from bot.slack.wish_records import wish_record

logger = logging.getLogger(__name__)


async def receive(services: Services, gesture: Gesture, subject: Subject, source: Source, *, org: str = "") -> Outcome:
    """Write the wish down, if the person may have it. Called before Slack is told that we have it."""
    services.voice.remember(gesture.place, gesture.person, gesture.response_url)
    _, verdict = await services.gate.may_start(gesture.place, gesture.person)
    ask = Ask(gesture.key, subject, gesture.place, gesture.person, source, org)
    if isinstance(verdict, Refused):
        return await services.desk.refuse(ask, verdict)
    choice = org or await _org_of(services, gesture, subject, source)
    if isinstance(choice, str):
        return await services.desk.ask(replace(ask, org=choice), rule=verdict.rule)
    return Outcome(Reception.REFUSED, refusal=choice)


async def _org_of(services: Services, gesture: Gesture, subject: Subject, source: Source) -> str | NoOrg:
    """Empty for a thread that is still to be read: its alert's link says which one."""
    if isinstance(subject, ThreadRef):
        return ""
    wish = wish_record(Investigate(subject), source)
    return await services.which_org.choose(gesture, host_of(subject), wish)


async def receive_again(services: Services, gesture: Gesture, investigation_id: int) -> Outcome | None:
    """A new run of an investigation; None when there is nothing to run again."""
    services.voice.remember(gesture.place, gesture.person, gesture.response_url)
    subject, before = await services.desk.again(investigation_id)
    if subject is None or before is None:
        return None
    ask = Ask(gesture.key, subject, gesture.place, gesture.person, Source.BUTTON, before.org)
    _, verdict = await services.gate.may_start(gesture.place, gesture.person)
    if isinstance(verdict, Refused):
        return await services.desk.refuse(ask, verdict)
    return await services.desk.run_again(ask, before.run, rule=verdict.rule)


def answer_later(services: Services, gesture: Gesture, subject: Subject | None, outcome: Outcome) -> None:
    """Tell the person what became of it where the card does not say so already."""
    services.tasks.spawn(_answer(services, gesture, subject, outcome), "answer to a gesture")


async def _answer(services: Services, gesture: Gesture, subject: Subject | None, outcome: Outcome) -> None:
    message = await _words(services, gesture, subject, outcome)
    if message is not None:
        await services.voice.tell(gesture.place, gesture.person, message)


async def _words(services: Services, gesture: Gesture, subject: Subject | None, outcome: Outcome) -> Message | None:
    match outcome.reception:
        case Reception.LOOKING_UP:
            return answers.looking_up(subject)
        case Reception.REFUSED:
            return await services.refusing.words(gesture.place, gesture.person, outcome)
        case Reception.ALREADY_HERE | Reception.FOLLOWING | Reception.REPEATED if outcome.investigation is not None:
            permalink = await services.voice.permalink(gesture.place.workspace, outcome.investigation.id)
            requester = outcome.investigation.requested_by
            return answers.already(outcome.investigation, permalink=permalink, requester=requester)
        case _:
            return None
