"""The answer to "which organisation do you mean": what was asked for goes on with it."""

import logging
from dataclasses import replace
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from bot.cases import form as case_forms
from bot.commands.records import read_wish
from bot.commands.run import act
from bot.insights import opening as attach_opening
from bot.orgs.questions import Record
from bot.orgs.views.answers import CHOOSE, chosen, question_gone, question_of
from bot.services import Services
from bot.slack.errors import CALL_ERRORS
from bot.slack.interactions import Interaction, first_action, of_message
from bot.slack.message import Message

logger = logging.getLogger(__name__)


def register(app: AsyncApp, services: Services) -> None:
    @app.action(CHOOSE)
    async def org_chosen(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        action, interaction = first_action(body), of_message(body)
        number = question_of(str(action.get("block_id") or ""))
        choice = str((action.get("selected_option") or {}).get("value") or "")
        workspace = interaction.place.workspace
        entry = await services.org_book.named(workspace, choice)
        question = await services.org_questions.take(number, workspace, interaction.person) if entry else None
        if entry is None or question is None:
            await ack()
            services.tasks.spawn(_instead(respond, question_gone()), "answer to a choice")
            return
        answer = await _go_on(services, replace(interaction, place=question.place), question.wish, entry.id)
        await ack()
        services.tasks.spawn(_instead(respond, answer or chosen(entry)), "answer to a choice")


async def _go_on(services: Services, interaction: Interaction, wish: Record, org: str) -> Message | None:
    services.replies.remember(interaction.place, interaction.person, interaction.response_url)
    match wish["verb"]:
        case case_forms.CASE_FORM:
            services.tasks.spawn(_open_form(services, interaction, str(wish["order"]), org), "case form")
            return None
        case attach_opening.BEGIN_ATTACHING:
            beginning = attach_opening.Beginning.read(wish)
            services.tasks.spawn(services.attaching.begin(interaction, beginning, org=org), "insights window")
            return None
        case _:
            asked, source = read_wish(wish)
            return await act(services, interaction, asked, source, org=org)


async def _open_form(services: Services, interaction: Interaction, key: str, org: str) -> None:
    order = await services.cases.orders.get(key, interaction.place.workspace, interaction.person)
    if order is not None:
        await case_forms.open_order(services, interaction, order, org)


async def _instead(respond: AsyncRespond, message: Message) -> None:
    """In the place of the question, so that nobody answers it twice."""
    try:
        await respond(text=message.text, blocks=message.blocks, replace_original=True)
    except CALL_ERRORS as error:
        logger.info("a question was not replaced: %s", type(error).__name__)
