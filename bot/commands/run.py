"""What happens on each thing a person can type, after the slash command and after a mention alike."""

import logging
import secrets

from bot.cases.lookup import about_case
from bot.cases.match import match_case
from bot.commands.grammar import (
    Attach,
    ChannelSettings,
    Connect,
    Empty,
    Govern,
    Invalid,
    Investigate,
    List,
    NewCase,
    Show,
    ShowAudit,
    ShowCase,
    Status,
    Unknown,
    Wish,
)
from bot.commands.records import wish_record
from bot.datadog.errors import DatadogError, NotFound, RateLimited
from bot.insights.form_views import begin_message
from bot.insights.opening import Beginning
from bot.investigations.failures import failure_of
from bot.investigations.ports import Org
from bot.investigations.reception import answer_later, receive
from bot.investigations.views import answers, refusals
from bot.model import Source, ThreadRef
from bot.orgs.connect_form import wanted
from bot.rules.governing import govern, may_not_look
from bot.services import Services
from bot.slack.interactions import Interaction
from bot.slack.message import Message
from bot.slack.text import code

logger = logging.getLogger(__name__)

LISTED = 10
NOTHING_NAMED = "Tell me what to investigate: a monitor id, a link to a monitor or alert, or a question in words."


async def act(
    services: Services, interaction: Interaction, wish: Wish, source: Source, *, org: str = ""
) -> Message | None:
    """Do it, or have it done; what can be answered from what we know is returned at once.

    `org` is the organisation where the person has said so; else it is found out.
    """
    match wish:
        case Investigate(ThreadRef()) if not interaction.place.thread_ts:
            return answers.invalid(Invalid(NOTHING_NAMED))
        case Investigate(subject):
            outcome = await receive(services, interaction, subject, source, org=org)
            answer_later(services, interaction, subject, outcome)
            return None
        case Attach(words):
            return await _attach(services, interaction, words)
        case NewCase() | ShowCase() | ChannelSettings() | Status() | ShowAudit() | Connect():
            return _hand_on(services, interaction, wish, org)
        case List() | Show():
            services.replies.remember(interaction.place, interaction.person, interaction.response_url)
            services.tasks.spawn(_look_up(services, interaction, wish, source, org), "look-up for a person")
            return None
        case _:
            return _at_once(wish)


def _hand_on(
    services: Services, interaction: Interaction, wish: NewCase | ShowCase | Govern | Connect, org: str
) -> Message | None:
    if isinstance(wish, Connect):
        return wanted(services, interaction, wish)
    if isinstance(wish, NewCase | ShowCase):
        return about_case(services, interaction, wish, org=org)
    return govern(services, interaction, wish)


async def _attach(services: Services, interaction: Interaction, words: str) -> Message | None:
    if words and match_case(words) is None:
        return answers.invalid(Invalid(f"{code(words, 80)} is no case. Give its key, like CASEM-42, or its link."))
    if not interaction.trigger_id:
        return begin_message(words)
    services.replies.remember(interaction.place, interaction.person, interaction.response_url)
    services.tasks.spawn(services.attaching.begin(interaction, Beginning(words)), "insights window")
    return None


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


async def _look_up(services: Services, interaction: Interaction, wish: List | Show, source: Source, org: str) -> None:
    message = await may_not_look(services, interaction.place, interaction.person)
    if message is None:
        org = org or await services.which_org.of(interaction, wish.host, wish_record(wish, source))
        message = await _looked_up(services, wish, org) if org else None
    if message is not None:
        await services.replies.tell(interaction.place, interaction.person, message)


async def _looked_up(services: Services, wish: List | Show, org_id: str) -> Message:
    reference = secrets.token_hex(3).upper()
    try:
        org = await services.orgs.get(org_id)
        if org is None:
            return refusals.no_org()
        return await _ask_datadog(org, wish, services.app_url(org_id))
    except DatadogError as error:
        logger.warning("look-up %s failed: %s", reference, type(error).__name__)
        wait = error.wait if isinstance(error, RateLimited) else None
        return answers.refused(failure_of(error), wait=wait, ref=reference)


async def _ask_datadog(org: Org, wish: List | Show, app_url: str) -> Message:
    if isinstance(wish, List):
        page = await org.bits.page(limit=LISTED, monitor_id=wish.monitor_id)
        return answers.investigation_list(page.items, app_url=app_url, monitor_id=wish.monitor_id, total=page.total)
    try:
        detail = await org.bits.get(wish.investigation_id)
    except NotFound:
        return answers.unknown_investigation(wish.investigation_id)
    return answers.investigation_summary(detail, app_url=app_url)
