"""What a person asks about the rules themselves: the settings form, the audit, and starting over budget."""

from dataclasses import replace

from bot.model import Place
from bot.rules.policy import Refused
from bot.rules.repository import Draft
from bot.rules.views import no_start
from bot.rules.views.audit import audit_message
from bot.rules.views.settings_modal import Opened, closed_modal, loading_modal, read_settings, settings_modal
from bot.services import Services
from bot.slack.interactions import Interaction
from bot.slack.message import Message, sentences
from bot.slack.modals import open_modal, update_modal
from bot.wording import COMMAND

_TO_CHANGE = "see and change the rules of this channel"
_TO_AUDIT = "see who started what"


def open_settings(services: Services, interaction: Interaction) -> Message | None:
    """Opened in the background, like everything here that is not worth a late acknowledgement."""
    if not interaction.trigger_id:
        return sentences(f"The form opens by the command only: type `{COMMAND} settings` in the channel.")
    services.replies.remember(interaction.place, interaction.person, interaction.response_url)
    services.tasks.spawn(_open_settings(services, interaction), "settings form")
    return None


# -- the audit ------------------------------------------------------------------------------------------------------


async def tell_audit(services: Services, interaction: Interaction) -> None:
    place, person = interaction.place, interaction.person
    await services.replies.tell(place, person, await _audit(services, place, person))


async def _audit(services: Services, place: Place, person: str) -> Message:
    verdict = await services.permissions.may_manage(place, person)
    if isinstance(verdict, Refused):
        return no_start.refused(verdict, doing=_TO_AUDIT)
    # the rest of the workspace is for its admins
    channel = "" if await services.permissions.is_admin(place, person) else place.channel
    return audit_message(await services.trail.latest(place.workspace, channel=channel), channel=channel)


# -- the settings form ----------------------------------------------------------------------------------------------


async def _open_settings(services: Services, interaction: Interaction) -> None:
    """Opened empty at once, because a trigger does not wait until it is known who asks."""
    place = interaction.place
    bot_client = await services.workspaces.bot_client(place.workspace)
    if bot_client is None:
        return
    opened = await open_modal(services.replies, bot_client.client, interaction, loading_modal())
    if opened is not None:
        view = await _settings_view(services, place, interaction.person)
        await update_modal(bot_client.client, view, view_id=str(opened["id"]), view_hash=opened.get("hash"))


async def _settings_view(services: Services, place: Place, person: str) -> dict[str, object]:
    verdict = await services.permissions.may_manage(place, person)
    if isinstance(verdict, Refused):
        return closed_modal(no_start.refused(verdict, doing=_TO_CHANGE))
    draft = await services.rules.draft(place.workspace, place.channel)
    return settings_modal(
        draft,
        admin=await services.permissions.is_admin(place, person),
        file_name=services.rules.file_name,
        handles=await services.people.group_handles(place.workspace),
    )


async def save_settings(
    services: Services, place: Place, person: str, opened: Opened, view_state: dict[str, object]
) -> Message | dict[str, str] | Refused:
    """What was saved, in words; or what is wrong by field; or why this person may not."""
    verdict = await services.permissions.may_manage(place, person)
    if isinstance(verdict, Refused):
        return verdict
    admin = await services.permissions.is_admin(place, person)
    current = await services.rules.draft(place.workspace, place.channel)
    read = read_settings(view_state, current, admin=admin)
    if not isinstance(read, Draft):
        return read
    if read.channel.org and await services.org_book.named(place.workspace, read.channel.org) is None:
        return {"org": "No Datadog organisation of this name is connected. Leave it empty for the default one."}
    seen = replace(read, channel_version=opened.channel_version, workspace_version=opened.workspace_version)
    if not await services.rules.save(seen, person):
        return _changed_meanwhile(view_state)
    return sentences(f"The rules of <#{place.channel}> are saved and hold from now on.")


def _changed_meanwhile(view_state: dict[str, object]) -> dict[str, str]:
    values = view_state.get("values")
    first = next(iter(values)) if isinstance(values, dict) and values else "route"
    return {first: f"Somebody else changed these rules meanwhile. Close this and type {COMMAND} settings again."}


# -- over budget ----------------------------------------------------------------------------------------------------


async def start_anyway(services: Services, interaction: Interaction, ask_id: int) -> Message:
    """The answer for the one who pressed; the card, if one comes, is the channel's."""
    held = await services.requests.held(ask_id, interaction.place.workspace, interaction.person)
    if held is None:
        return no_start.offer_gone()
    exceeds = await services.permissions.may_exceed(
        held.place, interaction.person
    )  # where it starts, not where it was pressed
    if isinstance(exceeds, Refused):
        return no_start.refused(exceeds, doing="start over budget")
    outcome = await services.requests.start_anyway(held, ask_id, rule=f"over budget, {exceeds.rule}")
    return no_start.started_anyway() if outcome is not None else no_start.offer_gone()


async def groups_like(services: Services, workspace: str, typed: str) -> dict[str, str]:
    """User groups whose handle has these letters in it, by id."""
    handles = await services.people.group_handles(workspace)
    wanted = typed.strip().lstrip("@").casefold()
    return {group: handle for group, handle in handles.items() if wanted in handle.casefold()}
