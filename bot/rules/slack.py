"""The commands `settings` and `audit`, the form when it is submitted, its groups, and the button that starts over budget."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from bot.model import Place
from bot.rules.governing import groups_like, open_settings, save_settings, start_anyway, tell_audit
from bot.rules.policy import Refused
from bot.rules.views import no_start, settings_modal
from bot.rules.views.settings_fields import group_option
from bot.services import Services
from bot.slack.commands import Command
from bot.slack.errors import CALL_ERRORS
from bot.slack.interactions import Interaction, first_action, of_message, workspace_of
from bot.slack.listeners import After
from bot.slack.message import Message

_MOST_OFFERED = 100


def register(app: AsyncApp, services: Services) -> None:
    _register_form(app, services)

    @app.action(no_start.START_ANYWAY)
    async def start_over_budget(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        interaction = of_message(body)
        message = await start_anyway(services, interaction, _number(first_action(body)))
        await ack()
        services.tasks.spawn(_instead(services, interaction, respond, message), "answer to a confirmed start")


def commands(services: Services) -> tuple[Command[str], ...]:
    async def settings(typed: Interaction, _words: str) -> After:
        return open_settings(services, typed)

    async def audit(typed: Interaction, _words: str) -> After:
        return tell_audit(services, typed)

    changed = (("", "this channel's rules: alerts, automatic starts, budget, who may start"),)
    seen = (("", "who started what here, and what was refused; for admins and those the rules name"),)
    return Command("settings", changed, str, settings), Command("audit", seen, str, audit)


def _register_form(app: AsyncApp, services: Services) -> None:
    @app.view(settings_modal.CALLBACK)
    async def saved(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
        opened = settings_modal.read_opened(str(view.get("private_metadata") or ""))
        if opened is None:
            await ack()
            return
        place, person = Place(workspace_of(body), opened.channel), str((body.get("user") or {}).get("id") or "")
        outcome = await save_settings(services, place, person, opened, view["state"])
        if isinstance(outcome, dict):
            await ack(response_action="errors", errors=outcome)
        elif isinstance(outcome, Refused):
            closed = settings_modal.closed_modal(no_start.refused(outcome, doing="change these rules"))
            await ack(response_action="update", view=closed)
        else:
            await ack()
            services.tasks.spawn(services.replies.tell(place, person, outcome), "answer to saved settings")

    @app.options(settings_modal.GROUPS)
    async def groups(ack: AsyncAck, body: dict[str, Any]) -> None:
        found = await groups_like(services, workspace_of(body), str(body.get("value") or ""))
        await ack(options=[group_option(group, handle) for group, handle in list(found.items())[:_MOST_OFFERED]])


async def _instead(services: Services, interaction: Interaction, respond: AsyncRespond, message: Message) -> None:
    """The offer goes when it is used: its button must not stand there for a second press."""
    try:
        await respond(**message.as_arguments(), replace_original=True)
    except CALL_ERRORS:
        await services.replies.tell(interaction.place, interaction.person, message)


def _number(action: dict[str, Any]) -> int:
    value = str(action.get("value") or "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 16 else 0
