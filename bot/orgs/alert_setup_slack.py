"""Setting up an organisation's alerts, in Slack: a button in Home and in the window of a connection, for admins."""

import asyncio
from dataclasses import dataclass, replace

from bot.orgs import alert_setup_form as form
from bot.orgs.alert_setup import AlertSetup
from bot.orgs.alert_setup_form import Opened
from bot.orgs.model import OrgEntry
from bot.orgs.slack import Connecting
from bot.slack.blocks import sentences
from bot.slack.gates import Judged
from bot.slack.interactions import Interaction
from bot.slack.listeners import ACK_LANDS, After, Listeners, Submitted
from bot.slack.replies import Modals, Replies


@dataclass(frozen=True, slots=True)
class AlertSetupListeners:
    connecting: Connecting
    setup: AlertSetup
    modals: Modals
    replies: Replies

    def register(self, on: Listeners) -> None:
        admins = Judged("Setting up alerts: for workspace admins")
        on.action(form.OPEN, self.open_form, admins)
        on.submission(form.CALLBACK, self.submitted, admins)

    async def open_form(self, click: Interaction) -> After:
        entry = await self._entry(click.workspace, click.value)
        if entry is None:
            return sentences("That organisation is not connected any more.")
        return self._open(click, entry)

    async def _open(self, click: Interaction, entry: OrgEntry) -> None:
        if refusal := await self.connecting.refusal(click.workspace, click.person):
            await self.replies.tell(click.place, click.person, refusal)
            return
        opened = Opened(entry.id, click.place.channel, click.place.thread_ts)
        view = form.setup_modal(entry, self.setup.public_url, opened)
        await self.modals.open(click, view)

    async def _entry(self, workspace: str, org: str) -> OrgEntry | None:
        """That of the settings is set up by whoever runs the bot."""
        entry = await self.connecting.orgs.named(workspace, org)
        return None if entry is None or entry.from_settings else entry

    async def submitted(self, submit: Interaction) -> Submitted:
        if refusal := await self.connecting.refusal(submit.workspace, submit.person):
            return Submitted(view=form.outcome_modal(refusal))
        opened = form.read_metadata(submit.metadata)
        tags, problems = form.read_tags(submit.view)
        if problems:
            return Submitted(errors=problems)
        entry = await self._entry(submit.workspace, opened.org)
        if entry is None:
            return Submitted(view=form.gone_modal())
        if not self.setup.public_url:
            return Submitted(view=form.setup_modal(entry, "", opened))
        waiting = form.setup_modal(replace(entry, alerts_tags=tags), self.setup.public_url, opened, working=True)
        return Submitted(view=waiting, after=self._set_up(submit, opened, entry, tags))

    async def _set_up(self, submit: Interaction, opened: Opened, entry: OrgEntry, tags: tuple[str, ...]) -> None:
        await asyncio.sleep(ACK_LANDS)
        outcome = await self.setup.set_up(submit.workspace, entry, tags)
        message = form.outcome_message(outcome, self.setup.public_url)
        if not await self.modals.update(submit.workspace, submit.view_id, form.outcome_modal(message)):
            await self.replies.tell(submit.at(opened.channel, opened.thread_ts).place, submit.person, message)
