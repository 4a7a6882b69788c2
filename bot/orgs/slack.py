"""Datadog organisations in Slack: connecting one by its form, taking one back, and the answer to which one is meant."""

import asyncio
import re
import time
from collections.abc import Coroutine
from dataclasses import dataclass, replace

from bot.orgs import connect_form as form
from bot.orgs.connect_form import Prefill
from bot.orgs.questions import CHOOSE, OrgQuestions, chosen, question_gone
from bot.orgs.repository import OrgRepository
from bot.orgs.connecting import Connected, Connecting, Problems
from bot.slack.blocks import Message, sentences
from bot.slack.commands import Command, link_in, unquoted
from bot.slack.interactions import Interaction
from bot.slack.listeners import ACK_LANDS, After, Instead, Listeners, Submitted
from bot.slack.replies import Modals, Replies
from bot.slack.text import code, one_line
from bot.storage.workers import Tasks
from bot.wording import DATADOG

AT_ONCE = 2.0  # of the three seconds a submit has; later the window says that it is being checked


@dataclass(frozen=True, slots=True)
class OrgListeners:
    orgs: OrgRepository
    connecting: Connecting
    questions: OrgQuestions
    modals: Modals
    replies: Replies
    tasks: Tasks

    def register(self, on: Listeners) -> None:
        on.action(re.compile(f"^({form.OPEN}|{form.OPEN_FROM_HOME})$"), self.open_form)
        on.action(form.REPLACE_KEYS, self.replace_keys)
        on.action(form.DISCONNECT, self.disconnect)
        on.submission(form.CALLBACK, self.submitted)
        on.action(CHOOSE, self.org_chosen)

    def commands(self) -> tuple[Command[str]]:
        usage = (("[site or link]", f"connect a {DATADOG} organisation; for workspace admins"),)
        return (Command("connect", usage, lambda words: link_in(unquoted(words)), self.connect),)

    # -- opening the form ---------------------------------------------------------------------------------------

    async def connect(self, typed: Interaction, words: str) -> After:
        """The words may be a link or the name of a site."""
        known = form.prefill_of(words)
        if not isinstance(known, Prefill):
            return sentences(form.no_bits_there(known))
        return self._open(typed, known) if typed.trigger_id else form.press_to_connect()

    async def open_form(self, click: Interaction) -> After:
        return self._open(click, Prefill())

    async def replace_keys(self, click: Interaction) -> After:
        entry = await self.orgs.named(click.workspace, click.value)
        if entry is None:
            return None
        return self._open(click, Prefill(entry.name, entry.site, entry.subdomain, replaces=entry.id))

    async def _open(self, interaction: Interaction, known: Prefill) -> None:
        place = interaction.place
        if refusal := await self.connecting.refusal(place.workspace, interaction.person):
            await self.replies.tell(place, interaction.person, refusal)
            return
        known = replace(known, channel=place.channel, thread_ts=place.thread_ts)
        await self.modals.open(interaction, form.connect_modal(known))

    async def disconnect(self, click: Interaction) -> After:
        if refusal := await self.connecting.refusal(click.workspace, click.person):
            return refusal
        gone = await self.connecting.disconnect(click.workspace, click.value)
        if gone is None:
            return sentences("That organisation is not connected any more.")
        return sentences(f"{code(one_line(gone.name), 80)} is disconnected, and its keys are removed.")

    # -- submitting it ------------------------------------------------------------------------------------------

    async def submitted(self, submit: Interaction) -> Submitted:
        """Answered with what came of it where Datadog is quick; else the window shows it later."""
        begun = time.monotonic()
        if refusal := await self.connecting.refusal(submit.workspace, submit.person):
            return Submitted(view=form.closed_modal(refusal))
        filled, problems = form.read_form(submit.view)
        if problems:
            return Submitted(errors=problems)
        opened = form.read_metadata(submit.metadata)
        checking = asyncio.create_task(
            self.connecting.connect(submit.workspace, submit.person, filled, opened.replaces), name="check of keys"
        )
        ready, _ = await asyncio.wait({checking}, timeout=max(0.0, begun + AT_ONCE - time.monotonic()))
        if ready:
            outcome = checking.result()
            if isinstance(outcome, Connected):
                return Submitted(view=form.connected_modal(outcome.entry, outcome.checkup))
            return Submitted(errors=outcome)
        known = replace(opened, name=filled.name, site=filled.site, subdomain=filled.subdomain)
        later = self._show_later(submit, known, checking)
        return Submitted(view=form.connect_modal(known, checking=True), after=later)

    async def _show_later(
        self, submit: Interaction, known: Prefill, checking: "asyncio.Task[Connected | Problems]"
    ) -> None:
        await asyncio.sleep(ACK_LANDS)
        outcome = await checking
        if isinstance(outcome, Connected):
            view, message = form.connected_modal(outcome.entry, outcome.checkup), form.connected_message(outcome.entry)
        else:
            view, message = form.connect_modal(known, problems=outcome), form.not_connected_message(outcome)
        if not await self.modals.update(submit.workspace, submit.view_id, view):
            await self.replies.tell(submit.at(known.channel, known.thread_ts).place, submit.person, message)

    # -- which one is meant -------------------------------------------------------------------------------------

    async def org_chosen(self, click: Interaction) -> After:
        """What was asked for goes on with it; the question goes, so that nobody answers it twice."""
        entry = await self.orgs.named(click.workspace, click.value)
        answered = await self.questions.answered(click) if entry else None
        if entry is None or answered is None:
            return Instead(question_gone())
        self.replies.remember(answered.interaction.place, click.person, click.response_url)
        after = await answered.go_on(entry.id)
        if isinstance(after, Message):
            return Instead(after)
        if isinstance(after, Coroutine):
            self.tasks.spawn(after, "what an organisation was chosen for")
        return Instead(chosen(entry))
