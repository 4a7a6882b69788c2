"""Opens and turns modals. A trigger lives three seconds: when Slack finds it too old, the person hears of it."""

import logging
import secrets
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.investigations.views import answers
from bot.slack.errors import CALL_ERRORS, error_code
from bot.slack.interactions import Interaction
from bot.slack.replies import Replies

logger = logging.getLogger(__name__)

_TOO_LATE = {"expired_trigger_id", "exchanged_trigger_id"}


async def open_modal(
    replies: Replies, client: AsyncWebClient, interaction: Interaction, view: dict[str, Any], *, on_top: bool = False
) -> dict[str, Any] | None:
    """The opened view as Slack tells it; None when it could not be opened, and then the person was told.

    `on_top`: another window of ours is open below.
    """
    show = client.views_push if on_top else client.views_open
    try:
        answer = await show(trigger_id=interaction.trigger_id, view=view)
    except CALL_ERRORS as error:
        await _say_so(replies, interaction, error)
        return None
    opened: dict[str, Any] = answer["view"]
    return opened


async def draw_modal(
    client: AsyncWebClient, view: dict[str, Any], *, view_id: str, view_hash: str | None = None
) -> dict[str, Any]:
    """The view as it stands now. Raises what Slack has against it: it is closed, or not the one of `view_hash` any more."""
    answer = await client.views_update(view_id=view_id, hash=view_hash, view=view)
    drawn: dict[str, Any] = answer.get("view") or {}
    return drawn


async def update_modal(
    client: AsyncWebClient, view: dict[str, Any], *, view_id: str, view_hash: str | None = None
) -> bool:
    """False when the person has closed it or it has changed meanwhile: what she sees now is newer than ours."""
    try:
        await draw_modal(client, view, view_id=view_id, view_hash=view_hash)
    except SlackApiError as error:
        if error_code(error) in {"hash_conflict", "not_found", "view_not_found"}:
            return False
        raise
    return True


async def _say_so(replies: Replies, interaction: Interaction, error: Exception) -> None:
    code = error_code(error) if isinstance(error, SlackApiError) else ""
    if code in _TOO_LATE:
        message = answers.too_late()
    else:
        reference = secrets.token_hex(3).upper()
        logger.warning("modal %s did not open: %s", reference, code or type(error).__name__)
        message = answers.unexpected(reference)
    replies.remember(interaction.place, interaction.person, interaction.response_url)
    await replies.tell(interaction.place, interaction.person, message)
