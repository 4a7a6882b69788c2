"""Opens and turns modals. A trigger lives three seconds: when Slack finds it too old, the person hears of it."""

import logging
import secrets

from bot.slack.blocks import Block, Message, sentences
from bot.slack.clients import Workspaces
from bot.slack.errors import CALL_ERRORS, error_code
from bot.slack.interactions import Interaction
from bot.slack.replies import Replies
from bot.slack.text import code
from bot.wording import APP

logger = logging.getLogger(__name__)

_CLOSED_OR_NEWER = {"hash_conflict", "not_found", "view_not_found"}


class Modals:
    def __init__(self, workspaces: Workspaces, replies: Replies) -> None:
        self._workspaces = workspaces
        self._replies = replies

    async def open(self, interaction: Interaction, view: Block, *, on_top: bool = False) -> Block | None:
        """The opened view as Slack tells it; None when it could not be opened, and then the person was told.

        `on_top`: another window of ours is open below.
        """
        bot_client = await self._workspaces.bot_client(interaction.workspace)
        if bot_client is None:
            return None
        show = bot_client.client.views_push if on_top else bot_client.client.views_open
        try:
            answer = await show(trigger_id=interaction.trigger_id, view=view)
        except CALL_ERRORS as error:
            await self._replies.tell(interaction.place, interaction.person, _why_not_opened(error))
            return None
        opened: Block = answer["view"]
        return opened

    async def draw(self, workspace: str, view_id: str, view: Block, *, view_hash: str | None = None) -> Block:
        """The view as it stands now. Raises what Slack has against it: it is closed, or not the one of `view_hash`."""
        bot_client = await self._workspaces.bot_client(workspace)
        if bot_client is None:
            return {}
        answer = await bot_client.client.views_update(view_id=view_id, hash=view_hash, view=view)
        drawn: Block = answer.get("view") or {}
        return drawn

    async def update(self, workspace: str, view_id: str, view: Block, *, view_hash: str | None = None) -> bool:
        """False when the window is closed, has changed meanwhile or can't be reached: it shows nothing of ours then."""
        try:
            return bool(await self.draw(workspace, view_id, view, view_hash=view_hash))
        except CALL_ERRORS as error:
            reason = error_code(error)
            if reason not in _CLOSED_OR_NEWER:
                logger.warning("a window was not drawn anew: %s", reason)
            return False


def _why_not_opened(error: Exception) -> Message:
    reason = error_code(error)
    if reason in {"expired_trigger_id", "exchanged_trigger_id"}:
        return too_late()
    reference = secrets.token_hex(3).upper()
    logger.warning("modal %s did not open: %s", reference, reason or "no code")
    return unexpected(reference)


def too_late() -> Message:
    """Slack gives a click three seconds to open a window."""
    return sentences("That took longer than Slack allows for opening a window. Nothing was done: please click again.")


def unexpected(reference: str) -> Message:
    return sentences(
        "Something went wrong on my side; nothing more will happen by itself.",
        f"Try again. If it fails again, tell whoever runs {APP} this reference: {code(reference, 60)}.",
    )
