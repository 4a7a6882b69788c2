"""Keeps the open insights windows showing what their sheets hold, whoever changed them and however many at once."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from weakref import WeakValueDictionary

from slack_sdk.errors import SlackApiError

from bot.insights.attach_form import AttachForm, Stage
from bot.insights.attach_form_store import AttachFormStore, Owner
from bot.insights.attach_jobs import AttachJob, AttachJobs
from bot.insights.views.form import attach_form
from bot.insights.views.parts import expired_view
from bot.insights.views.removal import confirm_view, removal_view
from bot.insights.views.result import result_view, told_directly, working_view
from bot.slack.blocks import Block
from bot.slack.clients import Workspaces
from bot.slack.errors import CALL_ERRORS, error_code
from bot.slack.modals import draw_modal
from bot.slack.replies import Replies

logger = logging.getLogger(__name__)

_MOST_HASHES = 2_000


class AttachScreen:
    def __init__(
        self,
        shelf: AttachFormStore,
        submits: AttachJobs,
        workspaces: Workspaces,
        replies: Replies,
        app_url: Callable[[str], str],
    ) -> None:
        self._shelf = shelf
        self._submits = submits
        self._workspaces = workspaces
        self._replies = replies
        self._app_url = app_url
        self._hashes: OrderedDict[str, str] = OrderedDict()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def view_of(self, sheet: AttachForm, key: str) -> Block:
        """The window for what the sheet holds now."""
        if sheet.stage is Stage.CHOOSING:
            return removal_view(sheet, key)
        if sheet.stage is Stage.CONFIRMING:
            return confirm_view(sheet, key)
        submit = await self._submits.get(sheet.submit_id) if sheet.stage is Stage.SUBMITTED else None
        return self.view_of_submit(submit) if submit else attach_form(sheet, key)

    def view_of_submit(self, submit: AttachJob) -> Block:
        return result_view(submit, self._app_url(submit.org)) if submit.done else working_view(submit)

    def opened(self, view: dict[str, Any]) -> None:
        """Which version of a view Slack shows, for updates that must not overwrite a newer one."""
        view_id = str(view.get("id") or "")
        self._hashes.pop(view_id, None)
        self._hashes[view_id] = str(view.get("hash") or "")
        while len(self._hashes) > _MOST_HASHES:
            self._hashes.popitem(last=False)

    def replaced(self, view_id: str) -> None:
        """By an answer to a submission, of which Slack tells no version."""
        self._hashes.pop(view_id, None)

    async def show(self, key: str, owner: Owner, view_id: str) -> bool:
        """Draws the window anew; False when it is not open any more."""
        turn = self._turns.setdefault(view_id, asyncio.Lock())
        async with turn:
            try:
                await self._update(key, owner, view_id)
            except SlackApiError as error:
                if error_code(error) != "hash_conflict":
                    logger.info("a window could not be updated: %s", error_code(error))
                    return False
                self.replaced(view_id)
                return await self._once_more(key, owner, view_id)
            except CALL_ERRORS as error:
                logger.info("a window could not be updated: %s", type(error).__name__)
                return False
        return True

    async def _once_more(self, key: str, owner: Owner, view_id: str) -> bool:
        try:
            await self._update(key, owner, view_id)
        except CALL_ERRORS:
            return False
        return True

    async def _update(self, key: str, owner: Owner, view_id: str) -> None:
        bot_client = await self._workspaces.bot_client(owner.workspace)
        if bot_client is None:
            return
        sheet = await self._shelf.get(key, owner)
        view = await self.view_of(sheet, key) if sheet else expired_view()
        known = self._hashes.get(view_id) or None
        self.opened(await draw_modal(bot_client.client, view, view_id=view_id, view_hash=known))

    async def finished(self, submit: AttachJob) -> None:
        """Shows what became of a submit; in words to the person if her window is closed and nothing else tells her."""
        owner = Owner(submit.place.workspace, submit.person)
        sheet = await self._shelf.get(submit.draft_key, owner)
        shows_it = sheet is not None and sheet.stage is Stage.SUBMITTED and sheet.submit_id == submit.id
        if shows_it and await self.show(submit.draft_key, owner, submit.view_id):
            return
        if not submit.complete or not submit.place.thread_ts:
            await self._replies.tell(submit.place, submit.person, told_directly(submit, self._app_url(submit.org)))
