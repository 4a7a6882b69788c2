"""People of the local Slack: what they type, click and see. Whatever they do ends when the app has acknowledged it."""

from collections.abc import Mapping
from typing import Any

from bot.sandbox.slack.errors import ApiError, NotAcknowledged, NotOnScreen
from bot.sandbox.slack.handles import ResponseUrl
from bot.sandbox.slack.interactions import Interactions, offered_in
from bot.sandbox.slack.messages import Content
from bot.sandbox.slack.payloads import as_rich_text, base_payload, bot_user_id, hidden_name, send, slash_command, typed
from bot.sandbox.slack.places import Address, InMessage, InView, Place
from bot.sandbox.slack.platform import Platform
from bot.sandbox.slack.render import JSON, Values
from bot.sandbox.slack.responses import post_answer, response_content
from bot.sandbox.slack.screens import View
from bot.sandbox.slack.team import Team
from bot.sandbox.slack.visible import Outcome, Reader, SeenView
from bot.sandbox.slack.work_objects import open_entity, save_entity
from bot.sandbox.slack.world import Author, Channel, Enterprise, Message, User

_SHORTCUT_FAILED = "That shortcut didn't work. Try again?"


class Person(Reader):
    """One person who reads, types and clicks."""

    def __init__(self, slack: Platform, workspace: Team, user: User) -> None:
        super().__init__(slack, workspace, user)
        self._interactions = Interactions(self)
        self._in_messages: dict[str, InMessage] = {}

    # -- typing ----------------------------------------------------------------------------------------------------

    async def say(self, words: str, in_: Channel, *, thread: Message | None = None) -> Message:
        """Types a message. "@name" and "#name" become what they name; the app may hear of it."""
        if self.id not in in_.members:
            raise NotOnScreen(f"{self.name} is not in #{in_.name} and cannot write there")
        text = typed(self, words)
        posted = self.slack.messages.post(
            in_,
            Author(self.id, self.name, team_id=self.user.team_id),
            Content(text, as_rich_text(text)),
            thread_ts=thread.root_ts if thread else None,
            client_msg_id=self.slack.ids.next("cmid-"),
        )
        return await posted.heard()

    async def mention(self, words: str, in_: Channel, *, thread: Message | None = None) -> Message:
        """Types "@Bits Bot " and these words."""
        return await self.say(f"@{self.slack.app.name} {words}", in_, thread=thread)

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
        text = typed(self, words)
        return await self.slack.messages.edit(message, Content(text, as_rich_text(text)), self.id).heard()

    async def delete(self, message: Message) -> None:
        await self.slack.messages.delete(message).heard()

    async def invite_app(self, channel: Channel) -> None:
        """/invite @Bits Bot."""
        self.slack.join(channel, bot_user_id(self), inviter=self.id)

    # -- commands and shortcuts ------------------------------------------------------------------------------------

    async def command(self, name: str, text: str = "", *, in_: Channel) -> Outcome:
        """Runs a slash command. What the app says along with its acknowledgement is shown at once."""
        self._expect_commands()
        known = self.slack.app.commands
        if known is not None and name not in known:
            raise NotOnScreen(f"{name} is not a valid command")
        outcome = Outcome.begin(self)
        response_url = self.slack.response_urls.issue(in_, self.id)
        payload = slash_command(self, name, text, in_, response_url)
        outcome.answer = await send(self, "slash_commands", payload, f"{name} failed with the error “dispatch_failed”")
        self._show_answer(outcome.answer, in_)
        return outcome

    def _show_answer(self, answer: JSON, in_: Channel) -> None:
        if not answer.keys() & {"text", "blocks", "attachments"}:
            return
        handle = ResponseUrl(in_, self.id, self.slack.clock())
        try:
            content = response_content(answer)
            if not content.is_empty:
                post_answer(self.slack, handle, content, answer)
        except ApiError as refused:
            raise NotAcknowledged(f"Slack could not show the answer: {refused.error} {refused.more}") from None

    async def shortcut(self, callback_id: str, *, on: Message) -> Outcome:
        """A message shortcut from the "…" menu of a message."""
        self._expect_shortcut(callback_id, "message")
        if on.only_for or not on.visible_to(self.id):
            raise NotOnScreen(f"that message has no menu of shortcuts for {self.name}")
        outcome = Outcome.begin(self)
        channel = on.channel
        payload = base_payload(self, "message_action", channel_id=channel.id) | {
            "callback_id": callback_id,
            "action_ts": f"{self.slack.clock():.6f}",
            "message_ts": on.ts,
            "message": on.to_json(metadata=True),
            "channel": {"id": channel.id, "name": hidden_name(channel)},
            "response_url": self.slack.response_urls.issue(channel, self.id, on),
        }
        outcome.answer = await send(self, "interactive", payload, _SHORTCUT_FAILED)
        return outcome

    async def global_shortcut(self, callback_id: str) -> Outcome:
        """A shortcut from the lightning menu: no channel, no response URL."""
        self._expect_shortcut(callback_id, "global")
        outcome = Outcome.begin(self)
        payload = base_payload(self, "shortcut") | {
            "callback_id": callback_id,
            "action_ts": f"{self.slack.clock():.6f}",
        }
        outcome.answer = await send(self, "interactive", payload, _SHORTCUT_FAILED)
        return outcome

    def _expect_commands(self) -> None:
        bot_user_id(self)
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
            "channel": self.workspace.dm(self.id, bot_user_id(self)).id,
            "tab": "home",
            "event_ts": f"{self.slack.clock():.6f}",
        }
        if known is not None:
            event["view"] = known.to_json()
        heard = self.slack.events.tell(self.workspace.id, event)
        if heard is not None:
            await heard
        return self.home

    # -- messages, modals and the Home tab -------------------------------------------------------------------------

    async def click(self, what: str | Address, *, on: Message | View, confirm: bool = True) -> Outcome:
        """Presses something in a message, named by what stands on it or by its action id; or by its address."""
        return await self._interactions.press(self._place(on), what, index=0, confirm=confirm)

    async def press(self, what: str, *, index: int = 0, confirm: bool = True) -> Outcome:
        """The same in the open modal, or in the Home tab when no modal is open."""
        return await self._interactions.press(self._place(None), what, index=index, confirm=confirm)

    async def choose(
        self, what: str | Address, *options: Any, on: Message | View | None = None, confirm: bool = True
    ) -> Outcome:
        """Picks from a select, radio buttons, checkboxes, a date: options by their words or values, people and channels as such."""
        return await self._interactions.choose(self._place(on), what, list(options), confirm=confirm)

    async def type_in(self, what: str, query: str = "") -> list[str]:
        """Types into an external select, and reads what it offers."""
        answer = await self._interactions.look_up(self._place(None), what, query)
        return [option["text"]["text"] for option in offered_in(answer)]

    async def look_up(self, what: Address, query: str, *, on: Message | View) -> JSON:
        """The same as Slack's client gets it, with its groups."""
        return await self._interactions.look_up(self._place(on), what, query)

    async def fill(
        self, entries: Mapping[str, Any] | Mapping[Address, Any], *, on: Message | View | None = None
    ) -> Outcome:
        """Fills fields, each named by its label, block id or action id; or by its address."""
        return await self._interactions.fill(self._place(on), entries)

    async def press_enter(self, what: str) -> Outcome:
        """Enter in a text field; sent to the app where the field says so."""
        return await self._interactions.press_enter(self._place(None), what)

    async def submit(self) -> Outcome:
        """The modal's submit button. `errors` of what comes back are the sentences under the fields."""
        return await self._interactions.submit()

    async def close(self, *, everything: bool = False) -> None:
        """The modal's close button; `everything` is the X that closes the whole stack."""
        await self._interactions.close(everything=everything)

    async def open_work_object(self, on: Message) -> None:
        """Clicks the Work Object under a message."""
        await open_entity(self, on)

    async def save_work_object(self, changes: Mapping[str, str]) -> JSON:
        """Edits fields of the one that is open, by their keys; what the app answers to that."""
        return await save_entity(self, changes)

    def entered_in(self, message: Message) -> Values:
        """What this person has chosen in a message's own fields so far."""
        return self._place(message).values

    def _place(self, on: Message | View | None) -> Place:
        if isinstance(on, View):
            return InView(on)
        if on is not None:
            key = f"{on.channel.id}/{on.ts}"
            return self._in_messages.setdefault(key, InMessage(on))
        view = self.slack.screens.top(self.id) or self.slack.screens.homes.get(self.id)
        if view is None:
            raise NotOnScreen(f"{self.name} has no modal open")
        return InView(view)

    # -- what no screen offers -------------------------------------------------------------------------------------

    def base_payload(self, kind: str, *, channel_id: str = "") -> JSON:
        """What an interaction starts from that is put together by hand."""
        return base_payload(self, kind, channel_id=channel_id)

    async def send(self, payload: JSON) -> JSON:
        """Sends an interaction as it is: from a screen that is out of date, or forged."""
        return await send(self, "interactive", payload, "nothing")


class Workspace(Team):
    """A workspace that persons can be put into."""

    def __init__(self, slack: Platform, name: str, enterprise: Enterprise | None) -> None:
        super().__init__(slack.ids, slack.install_of, name, enterprise)
        self._slack = slack

    def add_user(self, name: str, *, guest: bool = False, admin: bool = False, stranger: bool = False) -> Person:
        user = self.new_user(name, guest=guest, admin=admin, stranger=stranger)
        return Person(self._slack, self, user)
