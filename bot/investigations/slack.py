"""The ways to start an investigation in Slack."""

import logging
import re
import time
from dataclasses import dataclass, replace

from bot.investigations import answers, card_view, conclusions_view, doubts, questions, subject_view
from bot.investigations.asking import StartRequests
from bot.investigations.message_alerts import content_of
from bot.investigations.requests import Investigate, Requests
from bot.model import AlertRef, MessageRef, Source, ThreadLook
from bot.rules import no_start
from bot.rules.permissions import NotAllowed, Permissions
from bot.slack.blocks import Message
from bot.slack.gates import Judged, Open
from bot.slack.interactions import Interaction
from bot.slack.listeners import After, Instead, Listeners, Submitted
from bot.slack.payloads import is_reply

logger = logging.getLogger(__name__)

INVESTIGATE_MESSAGE = "investigate_message"


@dataclass(frozen=True, slots=True)
class StartListeners:
    """The button under an alert, the message shortcut with its question in words, and Run again."""

    starts: StartRequests

    def register(self, on: Listeners) -> None:
        judged = Judged("the ask worker")
        on.action(subject_view.INVESTIGATE_ACTION, self.investigate, judged)
        on.action(
            re.compile(rf"^({card_view.RUN_AGAIN}|{card_view.START_AGAIN_ACTION}|{conclusions_view.RUN_AGAIN})$"),
            self.starts.run_again,
            judged,
        )
        on.shortcut(INVESTIGATE_MESSAGE, self.investigate_message, judged)
        on.submission(questions.CALLBACK, self.investigate_question, judged)

    async def investigate(self, click: Interaction) -> After:
        alert = subject_view.read_alert_value(click.value)
        if alert is None:
            return answers.no_longer_alert()
        if isinstance(alert, AlertRef) and not is_reply(click.message):
            alert = replace(alert, thread=ThreadLook.OURS)
        return await self.starts.start(click, Investigate(alert, Source.BUTTON))

    async def investigate_message(self, shortcut: Interaction) -> After:
        """The alert is taken from the message; where there is none, the person is asked for words."""
        subject = MessageRef(content_of(shortcut.message), shortcut.trigger_id)
        return await self.starts.start(shortcut, Investigate(subject, Source.SHORTCUT))

    async def investigate_question(self, window: Interaction) -> Submitted:
        if not window.place.channel:
            return Submitted(errors={questions.TEXT: answers.LOST})
        question = questions.read_question(window.view, now=time.time())
        if isinstance(question, dict):
            return Submitted(errors=question)
        return Submitted(after=await self.starts.start(window, Investigate(question, Source.MODAL)))


@dataclass(frozen=True, slots=True)
class OverBudgetButton:
    requests: Requests
    permissions: Permissions

    def register(self, on: Listeners) -> None:
        on.action(no_start.START_ANYWAY, self.start, Judged("where it starts: by who may exceed the budget"))

    async def start(self, click: Interaction) -> After:
        """The answer for the one who pressed; the card, if one comes, is the channel's."""
        return Instead(await self._started(click))

    async def _started(self, click: Interaction) -> Message:
        held = await self.requests.held(click.number, click.workspace, click.person)
        if held is None:
            return no_start.offer_gone()
        # judged where it starts, not where it was pressed
        exceeds = await self.permissions.may_exceed(held.place, click.person)
        if isinstance(exceeds, NotAllowed):
            return no_start.refused(exceeds, doing="start over budget")
        outcome = await self.requests.start_anyway(held, click.number, rule=f"over budget, {exceeds.rule}")
        return no_start.started_anyway() if outcome is not None else no_start.offer_gone()


@dataclass(frozen=True, slots=True)
class DoubtButtons:
    """What was asked back before it could cost."""

    starts: StartRequests

    def register(self, on: Listeners) -> None:
        on.action(doubts.START, self.start, Judged("the ask worker"))
        on.action(doubts.CANCEL, self.cancel, Open("it only puts a question of ours away"))

    async def start(self, click: Interaction) -> After:
        """Once, however often it is pressed: its key is made of the gesture that was asked back."""
        told = doubts.confirmed(click.value)
        if told is None:
            return answers.no_longer_alert()
        place = replace(click.place, thread_ts=told.thread_ts)
        asked = replace(click, key=f"confirmed:{told.key}"[:255], place=place)
        await self.starts.start(asked, Investigate(told.question, Source.BUTTON))
        return Instead(doubts.started())

    async def cancel(self, _click: Interaction) -> After:
        return Instead(doubts.cancelled())
