"""What `case …` does: the card of a case somebody named, or the form of a new one."""

import asyncio
import logging

from bot.cases.known import KnownCase
from bot.cases.orders import Source
from bot.cases.trouble import Trouble, Why, trouble_of
from bot.datadog.errors import DatadogError
from bot.investigations.model import Source as Asked
from bot.slack.case_forms import may_not_work_on_cases, open_case_form
from bot.slack.gestures import Gesture
from bot.slack.services import Services
from bot.slack.verbs import NewCase, ShowCase
from bot.slack.views import case_answers
from bot.slack.views.message import Message
from bot.slack.wish_records import wish_record

logger = logging.getLogger(__name__)

SLOW = 1.5  # seconds after which silence would look like failure
NAMES_WAIT = 3.0
LOOKUP_WAIT = 20.0


def about_case(services: Services, gesture: Gesture, wish: NewCase | ShowCase, *, org: str = "") -> Message | None:
    """A mention gives no right to open a window, so it is answered with a button."""
    services.voice.remember(gesture.place, gesture.person, gesture.response_url)
    if isinstance(wish, ShowCase):
        services.tasks.spawn(_show_case(services, gesture, wish, org), "case look-up")
        return None
    if not gesture.trigger_id:
        return case_answers.press_to_open(wish.title)
    services.tasks.spawn(open_case_form(services, gesture, Source(title=wish.title), org=org), "case form")
    return None


async def _show_case(services: Services, gesture: Gesture, wish: ShowCase, org: str) -> None:
    if refusal := await may_not_work_on_cases(services, gesture.place, gesture.person):
        await services.voice.tell(gesture.place, gesture.person, refusal)
        return
    identifier = wish.identifier
    org = org or await services.which_org.of(gesture, wish.host, wish_record(wish, Asked.COMMAND))
    if not org:
        return
    looking = asyncio.create_task(_look_up(services, gesture, identifier, org), name="case look-up")
    try:
        ready, _ = await asyncio.wait({looking}, timeout=SLOW)
        if not ready:
            await services.voice.tell(gesture.place, gesture.person, case_answers.looking_up(identifier))
        found = await looking
    finally:
        looking.cancel()
    services.keep_watching()
    if message := await _answer(services, gesture, identifier, found):
        await services.voice.tell(gesture.place, gesture.person, message)


async def _look_up(services: Services, gesture: Gesture, identifier: str, name: str) -> tuple[KnownCase, str] | Trouble:
    """The case, its card owed to where it was asked for, and where that card stands already."""
    org = await services.cases.orgs.get(name)
    if org is None:
        return Trouble(Why.NO_ORG)
    try:
        async with asyncio.timeout(LOOKUP_WAIT):
            case = await org.cases.get(identifier)
    except (DatadogError, TimeoutError) as error:
        trouble = trouble_of(error)
        logger.info("case look-up failed: %s", trouble.why)
        return trouble
    await _learn_names(services, name)
    book, place = services.cases.book, gesture.place
    known = await book.remember(name, case, place=place, person=gesture.person, card=True)
    return known, await book.card_ts(known.id, place)


async def _learn_names(services: Services, org: str) -> None:
    """What statuses, types and projects are called; without them the card is only plainer."""
    try:
        async with asyncio.timeout(NAMES_WAIT):
            await services.cases.catalogs.get(org)
    except (DatadogError, TimeoutError):
        return


async def _answer(
    services: Services, gesture: Gesture, identifier: str, found: tuple[KnownCase, str] | Trouble
) -> Message | None:
    if isinstance(found, Trouble):
        missing = found.why is Why.NOT_FOUND
        return case_answers.unknown_case(identifier) if missing else case_answers.lookup_failed(found)
    known, standing = found
    if not standing:
        return None
    place = gesture.place
    permalink = await services.cases.front.permalink(place.workspace, place.channel, standing)
    return case_answers.card_stands(known, services.app_url(known.org), permalink)
