"""What happens on each thing a person can type, after the slash command and after a mention alike."""

import logging
import secrets

from bot.datadog.errors import DatadogError, NotFound, RateLimited
from bot.investigations.failures import failure_of
from bot.investigations.model import Source, ThreadRef
from bot.investigations.ports import Org
from bot.slack.gestures import Gesture
from bot.slack.reception import answer_later, receive
from bot.slack.services import Services
from bot.slack.verbs import Empty, Invalid, Investigate, List, Show, Unknown, Wish
from bot.slack.views import answers, refusals
from bot.slack.views.message import Message

logger = logging.getLogger(__name__)

ORG = "default"
LISTED = 10
NOTHING_NAMED = "Tell me what to investigate: a monitor id, a link to a monitor or alert, or a question in words."


async def act(services: Services, gesture: Gesture, wish: Wish, source: Source) -> Message | None:
    """Do it, or have it done; what can be answered from what we know is returned at once."""
    match wish:
        case Investigate(ThreadRef()) if not gesture.place.thread_ts:
            return answers.invalid(Invalid(NOTHING_NAMED))
        case Investigate(subject):
            outcome = await receive(services, gesture, subject, source)
            answer_later(services, gesture, subject, outcome)
            return None
        case List() | Show():
            services.voice.remember(gesture.place, gesture.person, gesture.response_url)
            services.tasks.spawn(_look_up(services, gesture, wish), "look-up for a person")
            return None
        case _:
            return _at_once(wish)


def _at_once(wish: Wish) -> Message:
    match wish:
        case Empty():
            return answers.nothing_asked()
        case Unknown():
            return answers.unknown_verb(wish)
        case Invalid():
            return answers.invalid(wish)
        case _:
            return answers.help_text()


async def _look_up(services: Services, gesture: Gesture, wish: List | Show) -> None:
    message = await _looked_up(services, wish)
    await services.voice.tell(gesture.place, gesture.person, message)


async def _looked_up(services: Services, wish: List | Show) -> Message:
    reference = secrets.token_hex(3).upper()
    try:
        org = await services.orgs.get(ORG)
        if org is None:
            return refusals.no_org()
        return await _ask_datadog(services, org, wish)
    except DatadogError as error:
        logger.warning("look-up %s failed: %s", reference, type(error).__name__)
        wait = error.wait if isinstance(error, RateLimited) else None
        return answers.refused(failure_of(error), wait=wait, ref=reference)


async def _ask_datadog(services: Services, org: Org, wish: List | Show) -> Message:
    app_url = services.app_url(ORG)
    if isinstance(wish, List):
        page = await org.bits.page(limit=LISTED, monitor_id=wish.monitor_id)
        return answers.investigation_list(page.items, app_url=app_url, monitor_id=wish.monitor_id, total=page.total)
    try:
        detail = await org.bits.get(wish.investigation_id)
    except NotFound:
        return answers.unknown_investigation(wish.investigation_id)
    return answers.investigation_summary(detail, app_url=app_url)
