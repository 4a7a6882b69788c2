"""What Datadog's own Bits found already, in the thread of an alert: looked for before a start there is paid for.

What was posted while we listened is in our books. What came before we were in the channel, or while we were away, only
the thread itself can tell: it is read once, where it has replies that are not ours.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from bot.deadline import within
from bot.investigations.message_alerts import SeenAlerts, ThreadNotReadError, ThreadReader, find_run_link
from bot.investigations.records import subject_key
from bot.investigations.tables import investigations
from bot.model import AlertRef, Ask, ExistingRun, Place, Source, ThreadLook
from bot.slack.clients import BotClient, Workspaces
from bot.slack.errors import RATE_LIMITED, Meaning, SlackTrouble
from bot.slack.payloads import is_reply
from bot.slack.senders import Senders
from bot.storage.engine import Database

logger = logging.getLogger(__name__)

_CHOSEN = {Source.BUTTON, Source.SHORTCUT}  # in the thread of an alert; what is typed names its alert itself
LOOKED_WITHIN = 3.0  # seconds: nobody's start waits longer for it


@dataclass(frozen=True, slots=True)
class Findings:
    database: Database
    workspaces: Workspaces
    seen_alerts: SeenAlerts
    threads: ThreadReader
    senders: Senders

    async def heard(self, place: Place) -> str:
        """Datadog's id of the run that was linked in this thread while we listened."""
        return (await self.seen_alerts.of(place.workspace, place.channel, place.thread_ts)).run

    async def may_be_unheard(self, ask: Ask, alert: AlertRef, message: Mapping[str, Any] | None) -> bool:
        """Whether a start of this alert would cost, in a thread with replies of others. `message` is the one that was
        chosen, as Slack told it; without it nobody knows who has replied."""
        if alert.thread or not ask.place.thread_ts or ask.source not in _CHOSEN:
            return False
        if message is not None and not await self._others_replied(ask.place, message):
            return False
        known = investigations.c.org == ask.org, investigations.c.subject_key == subject_key(alert)
        return await self.database.first(select(investigations.c.id).where(*known).limit(1)) is None

    async def _others_replied(self, place: Place, message: Mapping[str, Any]) -> bool:
        if is_reply(message):
            return True  # which tells nothing of the others
        if not message.get("reply_count"):
            return False
        bot_client, who = await self.workspaces.bot_client(place.workspace), message.get("reply_users")
        is_all = isinstance(who, list) and len(who) == message.get("reply_users_count")
        return bot_client is None or not is_all or who != [bot_client.bot_user_id]

    async def look(self, place: Place, alert: AlertRef) -> AlertRef | ExistingRun:
        """The run that is there, or the alert with what came of looking."""
        try:
            async with within(LOOKED_WITHIN):
                messages, is_all = await self.threads.messages(place)
        except (ThreadNotReadError, TimeoutError) as error:
            trouble = (
                error.trouble if isinstance(error, ThreadNotReadError) else SlackTrouble(Meaning.OPEN, "no_answer")
            )
            logger.info("a thread could not be read before a start: %s", trouble.code)
            return replace(alert, thread=_why(trouble.code))
        bot_client = await self.workspaces.bot_client(place.workspace)
        run = find_run_link([each for each in messages if await self._is_datadogs(each, place, bot_client)])
        if run is not None:
            return ExistingRun(run.investigation_id, alert, run.host)
        return replace(alert, thread=ThreadLook.READ if is_all else ThreadLook.ONLY_BEGINNING)

    async def _is_datadogs(self, message: Mapping[str, Any], place: Place, bot_client: BotClient | None) -> bool:
        """As far as messages are noted when we hear them: an app's, of this workspace; never our own."""
        ours = bot_client.bot_id if bot_client else ""
        is_apps = bool(message.get("bot_id")) and message["bot_id"] != ours
        return is_apps and await self.senders.is_ours({}, message, place.workspace)


def _why(code: str) -> ThreadLook:
    if code == RATE_LIMITED:
        return ThreadLook.LIMITED
    if code in {"not_in_channel", "channel_not_found"}:
        return ThreadLook.NOT_MEMBER
    return ThreadLook.NO_SCOPE if code in {"missing_scope", "no_permission"} else ThreadLook.NO_ANSWER
