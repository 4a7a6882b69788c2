"""The town with an admin in it, and a look at the rules and the audit as the bot has written them down."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.rules.audit import AuditTrail, Entry
from bot.rules.model import ChannelRules
from bot.rules.repository import Draft, RuleRepository
from bot.sandbox.slack import Channel
from bot.sandbox.slack.people import Person
from bot.sandbox.slack.visible import SeenView
from bot.storage.engine import Database
from tests.e2e.town import AlertMessage, Town


class RuleTown(Town):
    def __init__(self, folder: Path, **settings: Any) -> None:
        super().__init__(folder, **settings)
        self.eva = self.slack.workspace.add_user("eva", admin=True)
        self._beside = Database(
            f"sqlite+aiosqlite:///{folder}/bits.sqlite3"
        )  # read beside the bot, never opened as its own

    async def __aexit__(self, *_: object) -> None:
        await self._beside.engine.dispose()
        await super().__aexit__()

    # -- the rules ----------------------------------------------------------------------------------------------

    async def rules(self, channel: Channel | None = None) -> ChannelRules:
        return await RuleRepository(self._beside).of(self.slack.workspace.id, (channel or self.channel).id)

    async def set(self, *, budget: int | None = None, share: int | None = None, **rules: Any) -> None:
        """Rules as if saved in the form: for the channel, with the workspace's budget and share."""
        book = RuleRepository(self.bot._database)  # what the bot itself changes counts at once
        draft = await book.draft(self.slack.workspace.id, self.channel.id)
        channel = replace(draft.channel, **rules)
        workspace = replace(draft.workspace, budget_per_day=budget, automatic_share=share)
        assert await book.save(Draft(channel, workspace, draft.channel_version, draft.workspace_version), self.eva.id)

    async def audit(self) -> list[Entry]:
        """The oldest first."""
        return (await AuditTrail(self._beside).latest(self.slack.workspace.id, limit=100))[::-1]

    async def settings_of(self, person: Person) -> SeenView:
        """The form as this person sees it."""
        await person.command("/bits", "settings", in_=self.channel)
        return await person.waits_for_modal("Rules for #alerts")

    # -- what people see ----------------------------------------------------------------------------------------

    async def investigates(self, person: Person) -> AlertMessage:
        alert = await self.alert()
        await person.shortcut("investigate_message", on=alert.message)
        return alert

    async def is_told(self, person: Person, *words: str) -> str:
        """Wait until this person reads all these words where only they see them."""
        await self.slack.wait_for(lambda: all(word in person.sees for word in words))
        return person.sees
