"""Opens the form that connects a Datadog organisation, for whoever may."""

from dataclasses import replace

from bot.commands.grammar import Connect
from bot.orgs.views import connect_modal as form
from bot.orgs.views.connect_modal import Prefill
from bot.services import Services
from bot.slack.interactions import Interaction
from bot.slack.message import Message
from bot.slack.modals import open_modal


def wanted(services: Services, interaction: Interaction, wish: Connect) -> Message | None:
    """`connect`, typed."""
    known = form.prefill_of(wish.words)
    if not isinstance(known, Prefill):
        return form.site_refused(known)
    if not interaction.trigger_id:
        return form.press_to_connect()
    start(services, interaction, known)
    return None


def start(services: Services, interaction: Interaction, known: Prefill) -> None:
    services.replies.remember(interaction.place, interaction.person, interaction.response_url)
    services.tasks.spawn(_open(services, interaction, known), "connect form")


async def _open(services: Services, interaction: Interaction, known: Prefill) -> None:
    place = interaction.place
    if refusal := await services.connecting.refusal(place.workspace, interaction.person):
        await services.replies.tell(place, interaction.person, refusal)
        return
    bot_client = await services.workspaces.bot_client(place.workspace)
    if bot_client is not None:
        known = replace(known, channel=place.channel, thread_ts=place.thread_ts)
        await open_modal(services.replies, bot_client.client, interaction, form.connect_modal(known))
