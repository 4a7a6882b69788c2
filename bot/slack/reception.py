"""One way from a person's wish to the desk and back to her: every listener that starts something goes through here."""

import logging

from bot.investigations.desk import Outcome, Reception
from bot.investigations.model import Ask, Source, Subject
from bot.slack.gestures import Gesture
from bot.slack.services import Services
from bot.slack.views import answers
from bot.slack.views.message import Message

logger = logging.getLogger(__name__)


async def receive(services: Services, gesture: Gesture, subject: Subject, source: Source) -> Outcome:
    """Write the wish down. Called before Slack is told that we have it."""
    services.voice.remember(gesture.place, gesture.person, gesture.response_url)
    return await services.desk.ask(_ask(gesture, subject, source))


async def receive_again(services: Services, gesture: Gesture, investigation_id: int) -> Outcome | None:
    """A new run of an investigation; None when there is nothing to run again."""
    services.voice.remember(gesture.place, gesture.person, gesture.response_url)
    subject, before = await services.desk.again(investigation_id)
    if subject is None or before is None:
        return None
    ask = Ask(gesture.key, subject, gesture.place, gesture.person, Source.BUTTON, before.org)
    return await services.desk.run_again(ask, before.run)


def _ask(gesture: Gesture, subject: Subject, source: Source) -> Ask:
    return Ask(gesture.key, subject, gesture.place, gesture.person, source)


def answer_later(services: Services, gesture: Gesture, subject: Subject, outcome: Outcome) -> None:
    """Tell the person what became of it where the card does not say so already."""
    services.tasks.spawn(_answer(services, gesture, subject, outcome), "answer to a gesture")


async def _answer(services: Services, gesture: Gesture, subject: Subject, outcome: Outcome) -> None:
    message = await _words(services, gesture, subject, outcome)
    if message is not None:
        await services.voice.tell(gesture.place, gesture.person, message)


async def _words(services: Services, gesture: Gesture, subject: Subject, outcome: Outcome) -> Message | None:
    match outcome.reception:
        case Reception.LOOKING_UP:
            return answers.looking_up(subject)
        case Reception.ALREADY_HERE | Reception.FOLLOWING | Reception.REPEATED if outcome.investigation is not None:
            permalink = await services.voice.permalink(gesture.place.workspace, outcome.investigation.id)
            requester = outcome.investigation.requested_by
            return answers.already(outcome.investigation, permalink=permalink, requester=requester)
        case _:
            return None
