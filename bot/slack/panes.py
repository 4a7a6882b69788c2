"""The details pane of Slack's Work Objects: shown to the one person who opened it, for as long as its trigger lives."""

import logging
from dataclasses import dataclass
from typing import Any

from bot.slack.blocks import Block
from bot.slack.clients import Workspaces
from bot.slack.errors import CALL_ERRORS, error_code

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Panes:
    workspaces: Workspaces

    async def show(self, workspace: str, trigger_id: str, entity: Block) -> None:
        await self._present(workspace, trigger_id, metadata=entity)

    async def refuse(self, workspace: str, trigger_id: str, title: str, why: str) -> None:
        """In place of the details; `why` is mrkdwn of ours."""
        error = {"status": "custom", "custom_title": title, "custom_message": why, "message_format": "markdown"}
        await self._present(workspace, trigger_id, error=error)

    async def refuse_edit(self, workspace: str, trigger_id: str, why: str) -> None:
        """Over the form, which keeps what was chosen."""
        await self._present(workspace, trigger_id, error={"status": "edit_error", "custom_message": why})

    async def _present(self, workspace: str, trigger_id: str, **what: Any) -> None:
        """Should Slack not take it, it shows what the message carries."""
        bot_client = await self.workspaces.bot_client(workspace)
        if bot_client is None:
            return
        try:
            await bot_client.client.entity_presentDetails(trigger_id=trigger_id, **what)
        except CALL_ERRORS as error:
            logger.warning("details were not shown: %s", error_code(error) or "no code")
