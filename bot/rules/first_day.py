"""When the bot comes into a channel: whoever invited it is asked whether alerts there get buttons. Nobody else sees it."""

from dataclasses import dataclass, replace

from bot.model import Place
from bot.rules.permissions import Allowed, Permissions
from bot.rules.repository import RuleRepository
from bot.rules.slack import SettingsForm
from bot.slack.blocks import Message, actions, button, section, sentences
from bot.slack.clients import Workspaces
from bot.slack.gates import May, Open, Right
from bot.slack.interactions import Interaction, place_of_event
from bot.slack.listeners import After, Instead, Listeners
from bot.slack.payloads import Payload, person_of
from bot.slack.replies import Replies
from bot.storage.workers import Tasks
from bot.wording import APP, COMMAND, DATADOG, INVESTIGATE

TURN_ON, SETTINGS = "first_day:turn_on", "first_day:settings"

_ADMINS = f"A workspace admin can turn them on: `{COMMAND} settings` in this channel."
_WAYS = f"Without them, choose “{INVESTIGATE} with Bits” in the menu of any alert's message."


@dataclass(frozen=True, slots=True)
class FirstDay:
    workspaces: Workspaces
    rules: RuleRepository
    permissions: Permissions
    settings: SettingsForm
    replies: Replies
    tasks: Tasks

    def register(self, on: Listeners) -> None:
        on.event("member_joined_channel", self.joined, Open("only that the bot itself was invited counts"))
        change = May(Right.MANAGE, "change the rules of this channel")
        on.action(TURN_ON, self.turn_on, change)
        on.action(SETTINGS, self.open_settings, May(Right.LOOK, "see the rules of this channel"))

    async def joined(self, body: Payload) -> None:
        event = body["event"]
        place = replace(place_of_event(body), thread_ts="")
        inviter = str(event.get("inviter") or "")
        bot_client = await self.workspaces.bot_client(place.workspace)
        if inviter and bot_client is not None and person_of(event) == bot_client.bot_user_id:
            self.tasks.spawn(self._ask(place, inviter), "a first day in a channel")

    async def _ask(self, place: Place, inviter: str) -> None:
        rules = await self.rules.of(place.workspace, place.channel)
        if rules.nudge or rules.from_file:  # it is decided
            return
        may = isinstance(await self.permissions.may_manage(place, inviter), Allowed)
        await self.replies.tell(place, inviter, asked() if may else told())

    async def turn_on(self, click: Interaction) -> After:
        place = click.place
        draft = await self.rules.draft(place.workspace, place.channel)
        if draft.channel.from_file:
            return Instead(sentences("This channel's rules are in the rules file: change them there."))
        saved = await self.rules.save(replace(draft, channel=replace(draft.channel, nudge=True)), click.person)
        return Instead(turned_on() if saved else sentences("Somebody else changed these rules meanwhile. Press again."))

    async def open_settings(self, click: Interaction) -> After:
        return await self.settings.open(click)


def asked() -> Message:
    words = (
        f"*Add {INVESTIGATE} buttons to alerts here?* I put one reply with them under each alert that {DATADOG} posts."
    )
    buttons = actions(button("Turn on", TURN_ON, style="primary"), button("Settings", SETTINGS))
    return Message(words, [section(f"{words}\n{_WAYS}"), buttons])


def told() -> Message:
    return sentences(f"{APP} is here. Alerts have no {INVESTIGATE} buttons in this channel yet. {_ADMINS} {_WAYS}")


def turned_on() -> Message:
    return sentences(
        f"{INVESTIGATE} buttons are on: the next alert of {DATADOG} gets them. `{COMMAND} settings` changes it."
    )
