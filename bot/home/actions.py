"""What Home's buttons begin. Home is no channel, so that the person says first where the answer belongs."""

import asyncio
import json
from dataclasses import dataclass

from bot.cases.form import CaseForms
from bot.cases.model import CaseSource
from bot.investigations.questions import question_modal
from bot.slack.blocks import Block, context, section
from bot.slack.commands import Commands
from bot.slack.forms import FormState, channel_select, form_field, modal
from bot.slack.gates import Judged, May, Open, Right
from bot.slack.interactions import Interaction
from bot.slack.listeners import ACK_LANDS, After, Listeners, Submitted
from bot.slack.payloads import carried_in
from bot.slack.replies import Modals
from bot.wording import CASE, CASES, COMMAND, INVESTIGATIONS, PRIVATE_CHANNELS, PRODUCT

ASK, NEW_CASE, HELP = "home:ask", "home:new_case", "home:help"
WHERE = "home_where"

_CHANNEL = "channel"
_TITLES = {ASK: f"Ask {PRODUCT}", NEW_CASE: f"New {CASE}"}


@dataclass(frozen=True, slots=True)
class HomeActions:
    modals: Modals
    forms: CaseForms
    commands: Commands

    def register(self, on: Listeners) -> None:
        on.action(ASK, self.ask_where, May(Right.LOOK, f"see {INVESTIGATIONS} in Home"))
        on.action(NEW_CASE, self.ask_where, May(Right.LOOK, f"work on {CASES} in Home"))
        on.action(HELP, self.show_help, Open("it is what every command does"))
        on.submission(WHERE, self.go_on, Judged("the window that follows"))

    async def ask_where(self, click: Interaction) -> After:
        return self.modals.open(click, where_modal(click.action_id))

    async def go_on(self, window: Interaction) -> Submitted:
        channel, what = FormState(window.view).conversation(_CHANNEL), str(carried_in(window.metadata).get("what"))
        if not channel or what not in _TITLES:
            return Submitted(errors={_CHANNEL: "Choose a channel."})
        return Submitted(after=self._open(window.at(channel), what))

    async def _open(self, window: Interaction, what: str) -> None:
        await asyncio.sleep(ACK_LANDS)
        if what == NEW_CASE:
            await self.forms.open(window, CaseSource())
        else:
            place = json.dumps({"channel": window.place.channel, "thread_ts": ""})
            await self.modals.open(window, question_modal("", place))

    async def show_help(self, click: Interaction) -> After:
        return self.modals.open(click, help_modal(self.commands.usage))


def where_modal(what: str) -> Block:
    element = channel_select(_CHANNEL)
    field = form_field("In which channel should the answer be?", element, hint=PRIVATE_CHANNELS)
    return modal(_TITLES[what], [field], callback_id=WHERE, metadata=json.dumps({"what": what}), submit="Next")


def help_modal(usage: str) -> Block:
    also = f"In a thread: the buttons and message shortcuts, or mention me. `{COMMAND} help` shows this, too."
    return modal("Commands", [section(usage), context(also)], callback_id="home_help")
