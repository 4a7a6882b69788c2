"""What `case …` does: the card of a case somebody named, or the form of a new one."""

import asyncio
import logging

from bot.cases.commands import SHOW_CASE, NewCase, ShowCase
from bot.cases.form import may_not_work_on_cases, open_case_form
from bot.cases.known import KnownCase
from bot.cases.requests import Source
from bot.cases.trouble import Trouble, Why, trouble_of
from bot.cases.views import answers as case_answers
from bot.datadog.errors import DatadogError
from bot.services import Services
from bot.slack.interactions import Interaction
from bot.slack.message import Message

logger = logging.getLogger(__name__)

SLOW = 1.5  # seconds after which silence would look like failure
NAMES_WAIT = 3.0
LOOKUP_WAIT = 20.0


def about_case(
    services: Services, interaction: Interaction, wish: NewCase | ShowCase, *, org: str = ""
) -> Message | None:
    """A mention gives no right to open a window, so it is answered with a button."""
    services.replies.remember(interaction.place, interaction.person, interaction.response_url)
    if isinstance(wish, ShowCase):
        services.tasks.spawn(_show_case(services, interaction, wish, org), "case look-up")
        return None
    if not interaction.trigger_id:
        return case_answers.press_to_open(wish.title)
    services.tasks.spawn(open_case_form(services, interaction, Source(title=wish.title), org=org), "case form")
    return None


async def _show_case(services: Services, interaction: Interaction, wish: ShowCase, org: str) -> None:
    if refusal := await may_not_work_on_cases(services, interaction.place, interaction.person):
        await services.replies.tell(interaction.place, interaction.person, refusal)
        return
    identifier = wish.id
    org = org or await services.which_org.of(interaction, "", SHOW_CASE.record(wish))
    if not org:
        return
    looking = asyncio.create_task(_look_up(services, interaction, identifier, org), name="case look-up")
    try:
        ready, _ = await asyncio.wait({looking}, timeout=SLOW)
        if not ready:
            await services.replies.tell(interaction.place, interaction.person, case_answers.looking_up(identifier))
        found = await looking
    finally:
        looking.cancel()
    if message := await _answer(services, interaction, identifier, found):
        await services.replies.tell(interaction.place, interaction.person, message)


async def _look_up(
    services: Services, interaction: Interaction, identifier: str, name: str
) -> tuple[KnownCase, str] | Trouble:
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
    book, place = services.cases.book, interaction.place
    known = await book.remember(name, case, place=place, person=interaction.person, card=True)
    return known, await book.card_ts(known.id, place)


async def _learn_names(services: Services, org: str) -> None:
    """What statuses, types and projects are called; without them the card is only plainer."""
    try:
        async with asyncio.timeout(NAMES_WAIT):
            await services.cases.catalogs.get(org)
    except (DatadogError, TimeoutError):
        return


async def _answer(
    services: Services, interaction: Interaction, identifier: str, found: tuple[KnownCase, str] | Trouble
) -> Message | None:
    if isinstance(found, Trouble):
        missing = found.why is Why.NOT_FOUND
        return case_answers.unknown_case(identifier) if missing else case_answers.lookup_failed(found)
    known, card_ts = found
    if not card_ts:
        return None
    place = interaction.place
    permalink = await services.cases.front.permalink(place.workspace, place.channel, card_ts)
    return case_answers.card_stands(known, services.app_url(known.org), permalink)
