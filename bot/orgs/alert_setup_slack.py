"""Setting up an organisation's alerts, in Slack: a button in Home and in the window of a connection, for admins."""

import asyncio
from dataclasses import dataclass, replace

from bot.orgs import alert_setup_form as form
from bot.orgs.alert_setup import AlertSetup
from bot.orgs.alert_setup_form import Opened
from bot.orgs.model import OrgEntry
from bot.orgs.slack import Connecting
from bot.slack.blocks import Block, Message, sentences
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
        on.action(form.REMOVE, self.remove, admins)
        on.submission(form.CALLBACK, self.submitted, admins)

    async def open_form(self, click: Interaction) -> After:
        entry = await self._entry(click.workspace, click.value)
        if entry is None:
            return sentences("That organisation is not connected any more.")
        return self._open(click, entry)

    async def _open(self, click: Interaction, entry: OrgEntry) -> None:
        if refusal := await self._refusal(click, entry):
            await self.replies.tell(click.place, click.person, refusal)
            return
        opened = Opened(entry.id, click.place.channel, click.place.thread_ts)
        projects = () if self._missing(entry) else await self.setup.projects(click.workspace, entry)
        await self.modals.open(click, self._window(entry, opened, projects))

    async def _entry(self, workspace: str, org: str) -> OrgEntry | None:
        """One that is only lent to a workspace is set up by whoever runs the bot."""
        entry = await self.connecting.orgs.named(workspace, org)
        return None if entry is None or entry.is_lent else entry

    async def _refusal(self, interaction: Interaction, entry: OrgEntry | None) -> Message | None:
        own = entry is not None and entry.from_settings
        return await self.connecting.refusal(interaction.workspace, interaction.person, keys=not own)

    def _window(self, entry: OrgEntry, opened: Opened, projects: form.Projects = (), *, working: bool = False) -> Block:
        if missing := self._missing(entry):
            return form.closed_modal(missing)
        return form.setup_modal(entry, self.setup.public_url, opened, projects, working=working)

    def _missing(self, entry: OrgEntry) -> str:
        """The setting without which nothing can be set up."""
        if not self.setup.public_url:
            return "BITS_PUBLIC_URL"
        return "BITS_WEBHOOK_SECRET" if entry.from_settings and not self.setup.secret_of_settings else ""

    async def remove(self, click: Interaction) -> After:
        """What others have removed when they are disconnected."""
        entry = await self._entry(click.workspace, click.value)
        if refusal := await self._refusal(click, entry):
            return refusal
        if entry is None or entry.alerts_begun_at is None:
            return sentences("Nothing is set up in Datadog for its alerts any more.")
        return self._remove(click, entry)

    async def _remove(self, click: Interaction, entry: OrgEntry) -> None:
        undone = await self.setup.remove(click.workspace, entry)
        await self.replies.tell(click.place, click.person, sentences(*form.undone_sentences(undone)))

    async def submitted(self, submit: Interaction) -> Submitted:
        opened = form.read_metadata(submit.metadata)
        entry = await self._entry(submit.workspace, opened.org)
        if refusal := await self._refusal(submit, entry):
            return Submitted(view=form.outcome_modal(refusal))
        tags, problems = form.read_tags(submit.view)
        if problems:
            return Submitted(errors=problems)
        if entry is None:
            return Submitted(view=form.gone_modal())
        cases = form.wants_cases(submit.view)
        shown = replace(entry, alerts_tags=tags, cases_begun_at=1.0 if cases else None)
        waiting = self._window(shown, opened, working=True)
        if self._missing(entry):
            return Submitted(view=waiting)
        return Submitted(view=waiting, after=self._set_up(submit, opened, entry, tags, cases=cases))

    async def _set_up(
        self, submit: Interaction, opened: Opened, entry: OrgEntry, tags: tuple[str, ...], *, cases: bool
    ) -> None:
        await asyncio.sleep(ACK_LANDS)
        outcome = await self.setup.set_up(submit.workspace, entry, tags, cases=cases)
        message = form.outcome_message(outcome, self.setup.public_url)
        if not await self.modals.update(submit.workspace, submit.view_id, form.outcome_modal(message)):
            await self.replies.tell(submit.at(opened.channel, opened.thread_ts).place, submit.person, message)
