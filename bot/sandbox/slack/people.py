"""People of the local Slack: what they type, click and see. Each gesture ends when the app has acknowledged it."""

import contextlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from bot.sandbox.slack.board import Content
from bot.sandbox.slack.changes import PATIENCE
from bot.sandbox.slack.delivery import Kind
from bot.sandbox.slack.errors import ApiError, NotAcknowledged, NotOnScreen
from bot.sandbox.slack.handles import ResponseUrl
from bot.sandbox.slack.hands import Hands
from bot.sandbox.slack.places import InMessage, InView, Place
from bot.sandbox.slack.render import JSON
from bot.sandbox.slack.responses import response_content, say
from bot.sandbox.slack.sight import Seen, SeenView
from bot.sandbox.slack.tokens import escape
from bot.sandbox.slack.transcript import thread_text, transcript
from bot.sandbox.slack.typing_in import as_rich_text, as_typed
from bot.sandbox.slack.world import Author, Channel, Message, User

if TYPE_CHECKING:
    from bot.sandbox.slack.server import FakeSlack
    from bot.sandbox.slack.workspace import Workspace

T = TypeVar("T")


class Person:
    def __init__(self, slack: "FakeSlack", workspace: "Workspace", user: User) -> None:
        self.slack = slack
        self.workspace = workspace
        self.user = user
        self._hands = Hands(self)
        self._in_messages: dict[str, InMessage] = {}

    @property
    def id(self) -> str:
        return self.user.id

    @property
    def name(self) -> str:
        return self.user.name

    def __repr__(self) -> str:
        return f"<{self.name} {self.id}>"

    # -- what is seen ----------------------------------------------------------------------------------------------

    @property
    def modal(self) -> SeenView | None:
        """The topmost open modal."""
        view = self.slack.screens.top(self.id)
        return SeenView(view, self.workspace.name_of) if view else None

    @property
    def home(self) -> SeenView | None:
        """The app's Home tab, once the app has published one."""
        view = self.slack.screens.homes.get(self.id)
        return SeenView(view, self.workspace.name_of) if view else None

    @property
    def ephemerals(self) -> list[Message]:
        """Everything only this person could see in channels, oldest first, as far as it still stands."""
        found = [
            one for channel in self.workspace.channels.values() for one in channel.ephemerals if one.only_for == self.id
        ]
        return sorted(found, key=lambda message: message.ts)

    @property
    def dms(self) -> list[Message]:
        """What the app wrote to this person directly."""
        direct = [one for one in self.workspace.channels.values() if one.kind == "im" and self.id in one.members]
        return [message for channel in direct for message in channel.messages if message.author.user_id != self.id]

    @property
    def sees(self) -> str:
        """What only this person sees, as text: ephemeral messages with their channel, then direct messages."""
        whispered = [f"#{message.channel.name}: {message.shown}" for message in self.ephemerals]
        direct = [f"DM from {message.author.name}: {message.shown}" for message in self.dms]
        return "\n".join([*whispered, *direct])

    def reads(self, where: Channel | Message) -> str:
        """A channel, or one thread, as this person reads it."""
        return thread_text(where, self.id) if isinstance(where, Message) else transcript(where, self.id)

    async def waits_for(self, happened: Callable[[], T | None], timeout: float = PATIENCE) -> T:  # noqa: ASYNC109 - shown on failure
        return await self.slack.wait_for(happened, timeout)

    async def waits_for_modal(self, words: str = "", timeout: float = PATIENCE) -> SeenView:  # noqa: ASYNC109 - shown on failure
        """Waits until a modal with these words in it is on top."""
        return await self.waits_for(lambda: self.modal if self.modal and words in self.modal.text else None, timeout)

    # -- typing ----------------------------------------------------------------------------------------------------

    async def say(self, words: str, in_: Channel, *, thread: Message | None = None) -> Message:
        """Types a message. "@name" and "#name" become what they name; the app may hear of it."""
        if self.id not in in_.members:
            raise NotOnScreen(f"{self.name} is not in #{in_.name} and cannot write there")
        text = as_typed(words, self._names(), {one.name: one.id for one in self.workspace.channels.values()})
        told = self.slack.board.post(
            in_,
            Author(self.id, self.name, team_id=self.user.team_id),
            Content(text, as_rich_text(text)),
            thread_ts=thread.root_ts if thread else None,
            client_msg_id=self.slack.ids.next("cmid-"),
        )
        return await told.heard()

    def _names(self) -> dict[str, str]:
        return {user.name: user.id for user in self.workspace.users.values()}

    async def mention(self, words: str, in_: Channel, *, thread: Message | None = None) -> Message:
        """Types "@Bits Bot " and these words."""
        return await self.say(f"@{self.slack.app.name} {words}", in_, thread=thread)

    async def write_to_app(self, words: str) -> Message:
        """Types into the direct conversation with the app."""
        return await self.say(words, self.workspace.dm(self.id, self._bot_user_id()))

    async def react(self, name: str, on: Message) -> None:
        on.reactions.setdefault(name, []).append(self.id)
        event = {
            "type": "reaction_added",
            "user": self.id,
            "reaction": name,
            "item_user": on.author.user_id,
            "item": {"type": "message", "channel": on.channel.id, "ts": on.ts},
            "event_ts": f"{self.slack.clock():.6f}",
        }
        heard = self.slack.events.tell(self.workspace.id, event, scope="reactions:read")
        self.slack.changes.notify()
        if heard is not None:
            await heard

    async def edit(self, message: Message, words: str) -> Message:
        text = as_typed(words, self._names(), {})
        return await self.slack.board.edit(message, Content(text, as_rich_text(text)), self.id).heard()

    async def delete(self, message: Message) -> None:
        await self.slack.board.delete(message).heard()

    async def invite_app(self, channel: Channel) -> None:
        """/invite @Bits Bot."""
        self.slack.join(channel, self._bot_user_id())

    def _bot_user_id(self) -> str:
        install = self.workspace.install
        if install is None:
            raise NotOnScreen(f"{self.slack.app.name} is not installed in {self.workspace.name}")
        return install.bot_user_id

    # -- commands and shortcuts ------------------------------------------------------------------------------------

    async def command(self, name: str, text: str = "", *, in_: Channel) -> Seen:
        """Runs a slash command. What the app says along with its acknowledgement is shown at once."""
        self._expect_commands()
        known = self.slack.app.commands
        if known is not None and name not in known:
            raise NotOnScreen(f"{name} is not a valid command")
        seen = self._before()
        handle_url = self.slack.response_urls.issue(in_, self.id)
        payload = self._command_payload(name, text, in_, handle_url)
        seen.answer = await self._sent("slash_commands", payload, f"{name} failed with the error “dispatch_failed”")
        self._show_answer(seen.answer, in_)
        return seen

    def _command_payload(self, name: str, text: str, in_: Channel, response_url: str) -> JSON:
        typed = escape(text)
        if self.slack.app.escapes_commands:
            typed = as_typed(text, self._names(), {one.name: one.id for one in self.workspace.channels.values()})
        enterprise = self.workspace.enterprise
        payload = {
            "token": self.slack.app.verification_token,
            "team_id": self.workspace.id,
            "team_domain": self.workspace.domain,
            "channel_id": in_.id,
            "channel_name": in_.name if in_.kind == "public" else _hidden_name(in_),
            "user_id": self.id,
            "user_name": self.name,
            "command": name,
            "text": typed,
            "api_app_id": self.slack.app.id,
            "is_enterprise_install": str(self._is_org_wide()).lower(),
            "response_url": response_url,
            "trigger_id": self.slack.triggers.issue(self.id, self.workspace.id, channel_id=in_.id),
        }
        return payload | ({"enterprise_id": enterprise.id, "enterprise_name": enterprise.name} if enterprise else {})

    def _show_answer(self, answer: JSON, in_: Channel) -> None:
        if not answer.keys() & {"text", "blocks", "attachments"}:
            return
        handle = ResponseUrl(in_, self.id, self.slack.clock())
        try:
            content = response_content(answer)
            if not content.is_empty:
                say(self.slack, handle, content, answer)
        except ApiError as refused:
            raise NotAcknowledged(f"Slack could not show the answer: {refused.error} {refused.more}") from None

    async def shortcut(self, callback_id: str, *, on: Message) -> Seen:
        """A message shortcut from the "…" menu of a message."""
        self._expect_shortcut(callback_id, "message")
        if on.only_for or not on.visible_to(self.id):
            raise NotOnScreen(f"that message has no menu of shortcuts for {self.name}")
        seen = self._before()
        channel = on.channel
        payload = self.base_payload("message_action", channel_id=channel.id) | {
            "callback_id": callback_id,
            "action_ts": f"{self.slack.clock():.6f}",
            "message_ts": on.ts,
            "message": on.to_json(metadata=True),
            "channel": {"id": channel.id, "name": _hidden_name(channel) if channel.is_private else channel.name},
            "response_url": self.slack.response_urls.issue(channel, self.id, on),
        }
        seen.answer = await self._sent("interactive", payload, "That shortcut didn't work. Try again?")
        return seen

    async def global_shortcut(self, callback_id: str) -> Seen:
        """A shortcut from the lightning menu: no channel, no response URL."""
        self._expect_shortcut(callback_id, "global")
        seen = self._before()
        payload = self.base_payload("shortcut") | {
            "callback_id": callback_id,
            "action_ts": f"{self.slack.clock():.6f}",
        }
        seen.answer = await self._sent("interactive", payload, "That shortcut didn't work. Try again?")
        return seen

    def _expect_commands(self) -> None:
        self._bot_user_id()
        if "commands" not in self.workspace.scopes:
            raise NotOnScreen(f"{self.slack.app.name} was not given the scope for commands and shortcuts")

    def _expect_shortcut(self, callback_id: str, kind: str) -> None:
        self._expect_commands()
        known = self.slack.app.shortcuts
        if known is not None and known.get(callback_id) != kind:
            raise NotOnScreen(f"there is no {kind} shortcut {callback_id!r}")

    async def open_home(self) -> SeenView | None:
        """Clicks on the app in the sidebar, Home tab."""
        known = self.slack.screens.homes.get(self.id)
        event: JSON = {
            "type": "app_home_opened",
            "user": self.id,
            "channel": self.workspace.dm(self.id, self._bot_user_id()).id,
            "tab": "home",
            "event_ts": f"{self.slack.clock():.6f}",
        }
        if known is not None:
            event["view"] = known.to_json()
        heard = self.slack.events.tell(self.workspace.id, event)
        if heard is not None:
            await heard
        return self.home

    # -- hands on messages, modals and the Home tab ----------------------------------------------------------------

    async def click(self, what: str, *, on: Message, index: int = 0, confirm: bool = True) -> Seen:
        """Presses something in a message, named by what stands on it or by its action id."""
        return await self._hands.press(self._place(on), what, index=index, confirm=confirm)

    async def press(self, what: str, *, index: int = 0, confirm: bool = True) -> Seen:
        """The same in the open modal, or in the Home tab when no modal is open."""
        return await self._hands.press(self._place(None), what, index=index, confirm=confirm)

    async def choose(self, what: str, *options: Any, on: Message | None = None, confirm: bool = True) -> Seen:
        """Picks from a select, radio buttons, checkboxes, a date: options by their words or values, people and channels as such."""
        return await self._hands.choose(self._place(on), what, list(options), confirm=confirm)

    async def type_in(self, what: str, query: str = "", *, on: Message | None = None) -> list[str]:
        """Types into an external select, and reads what it offers."""
        return await self._hands.type_in(self._place(on), what, query)

    async def fill(self, entries: Mapping[str, Any], *, on: Message | None = None) -> Seen:
        """Fills fields, each named by its label, block id or action id."""
        return await self._hands.fill(self._place(on), entries)

    async def press_enter(self, what: str, *, on: Message | None = None) -> Seen:
        """Enter in a text field; sent to the app where the field says so."""
        return await self._hands.press_enter(self._place(on), what)

    async def submit(self) -> Seen:
        """The modal's submit button. `errors` of what comes back are the sentences under the fields."""
        return await self._hands.submit()

    async def close(self, *, everything: bool = False) -> None:
        """The modal's close button; `everything` is the X that closes the whole stack."""
        await self._hands.close(everything=everything)

    def _place(self, on: Message | None) -> Place:
        if on is not None:
            key = f"{on.channel.id}/{on.ts}"
            return self._in_messages.setdefault(key, InMessage(on))
        view = self.slack.screens.top(self.id) or self.slack.screens.homes.get(self.id)
        if view is None:
            raise NotOnScreen(f"{self.name} has no modal open")
        return InView(view)

    # -- what Slack sends ------------------------------------------------------------------------------------------

    def base_payload(self, kind: str, *, view_id: str = "", channel_id: str = "") -> JSON:
        """The members every interaction payload has."""
        self._bot_user_id()
        enterprise = self.workspace.enterprise
        payload: JSON = {
            "type": kind,
            "token": self.slack.app.verification_token,
            "api_app_id": self.slack.app.id,
            "team": {"id": self.workspace.id, "domain": self.workspace.domain},
            "user": {"id": self.id, "username": self.name, "name": self.name, "team_id": self.user.team_id},
            "enterprise": {"id": enterprise.id, "name": enterprise.name} if enterprise else None,
            "is_enterprise_install": self._is_org_wide(),
        }
        if kind not in ("block_suggestion", "view_closed"):
            payload["trigger_id"] = self.slack.triggers.issue(
                self.id, self.workspace.id, view_id=view_id, channel_id=channel_id
            )
        return payload

    def _is_org_wide(self) -> bool:
        install = self.workspace.install
        return install is not None and install.org_wide

    async def _sent(self, kind: Kind, payload: JSON, shown: str) -> JSON:
        try:
            return await self.slack.delivery.interact(kind, payload)
        except NotAcknowledged as lost:
            raise NotAcknowledged(f"{self.name} sees: {shown} ({lost})") from None

    async def send(self, payload: JSON, shown: str = "We had some trouble connecting. Try again?") -> JSON:
        """Sends an interaction; `shown` is what the person reads when no acknowledgement comes."""
        return await self._sent("interactive", payload, shown)

    async def send_unheard(self, payload: JSON) -> None:
        """An interaction whose loss nobody would notice."""
        with contextlib.suppress(NotAcknowledged):
            await self.send(payload)

    def _before(self) -> Seen:
        return Seen(self, frozenset(self.ephemerals))

    def looks(self) -> Seen:
        """The start of a gesture: what comes after is counted from here."""
        return self._before()


def _hidden_name(channel: Channel) -> str:
    return {"private": "privategroup", "im": "directmessage", "mpim": "mpdm", "public": channel.name}[channel.kind]
