"""Where the rooms' handlers meet Bolt: each gets an interaction that was read once, and what it returns is said or done.

A handler is awaited before Slack is acknowledged, so what it writes down is kept by then. What it returns comes after:
a message is told to that person only, a coroutine runs in the background. Each is registered with its gate: who may is
asked before the handler, or it says who asks.
"""

import re
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.logs import know
from bot.model import Place
from bot.slack.blocks import Block, Message
from bot.slack.gates import Gatekeeper, Judged, May, Open
from bot.slack.interactions import Interaction, of_command, of_details, of_mention, of_message, of_search, of_submission
from bot.slack.payloads import Payload, person_of
from bot.slack.replies import Replies
from bot.slack.requests import in_time
from bot.storage.workers import Tasks

ACK_LANDS = 0.25  # seconds: the answer to a submit must be on the screen before anything is shown after it


@dataclass(frozen=True, slots=True)
class Instead:
    """A message that takes the place of the one that was clicked."""

    message: Message


After = Message | Instead | Coroutine[Any, Any, Any] | None  # a coroutine is work that need not be waited for


@dataclass(frozen=True, slots=True)
class Submitted:
    """What becomes of a submitted window: it closes, unless errors or another view are shown in it."""

    errors: dict[str, str] = field(default_factory=dict)  # a sentence for each block
    view: Block | None = None
    after: After = None
    clears: bool = False  # those below it close, too: what comes of it is seen in the thread

    def as_arguments(self) -> dict[str, Any]:
        if self.errors:
            return {"response_action": "errors", "errors": self.errors}
        if self.view is not None:
            return {"response_action": "update", "view": self.view}
        return {"response_action": "clear"} if self.clears else {}


Handler = Callable[[Interaction], Awaitable[After]]
Pattern = str | re.Pattern[str]


class Listeners:
    """Handed to each room, which registers its handlers."""

    def __init__(self, app: AsyncApp, replies: Replies, tasks: Tasks, gatekeeper: Gatekeeper) -> None:
        self._app = app
        self._replies = replies
        self._tasks = tasks
        self._gatekeeper = gatekeeper
        self._events: dict[str, list[Callable[[Payload], Awaitable[None]]]] = {}
        app.middleware(self._keep_event)

    def action(self, action_id: Pattern, handle: Handler, gate: May | Judged | Open) -> None:
        self._app.action(action_id)(self._listener(of_message, handle, gate))

    def shortcut(self, callback_id: str, handle: Handler, gate: May | Judged | Open) -> None:
        self._app.shortcut(callback_id)(self._listener(of_message, handle, gate))

    def command(self, name: str, handle: Handler, _gate: Judged) -> None:
        """A message it returns is the command's own answer."""

        async def typed(ack: AsyncAck, body: dict[str, Any]) -> None:
            interaction = self._read(of_command, body)
            async with in_time():
                after = await handle(interaction)
            if isinstance(after, Message):
                await ack(**after.as_arguments())
            else:
                await ack()
                self._go_on(interaction, after)

        self._app.command(name)(typed)

    def mention(self, handle: Handler, gate: Judged) -> None:
        """A person addresses us; what apps say and what is only edited asks for nothing."""

        async def mentioned(body: Payload) -> None:
            event = body["event"]
            if person_of(event) and not event.get("bot_id") and not event.get("edited"):
                interaction = self._read(of_mention, body)
                self._go_on(interaction, await handle(interaction))

        self.event("app_mention", mentioned, gate)

    def submission(
        self, callback_id: str, handle: Callable[[Interaction], Awaitable[Submitted]], _gate: Judged
    ) -> None:
        """Judged by its handler: what was typed must not be lost with a refusal."""

        async def submitted(ack: AsyncAck, body: dict[str, Any]) -> None:
            interaction = self._read(of_submission, body)
            async with in_time():
                outcome = await handle(interaction)
            await ack(**outcome.as_arguments())
            self._go_on(interaction, outcome.after)

        self._app.view(callback_id)(submitted)

    def options(self, action_id: str, handle: Callable[[Interaction], Awaitable[Sequence[Block]]], gate: May) -> None:
        """Nothing is offered to whoever may not: a search has no room for a reason."""

        async def searched(ack: AsyncAck, body: dict[str, Any]) -> None:
            search = of_search(body)
            refused = await self._refusal(search, gate)
            await ack(options=[] if refused else list(await handle(search)))

        self._app.options(action_id)(searched)

    def details(self, handle: Handler, gate: Judged) -> None:
        """Somebody opens a Work Object of ours."""

        async def opened(body: Payload) -> None:
            interaction = self._read(of_details, body)
            self._go_on(interaction, await handle(interaction))

        self.event("entity_details_requested", opened, gate)

    def event(self, kind: str, handle: Callable[[Payload], Awaitable[None]], _gate: Judged | Open) -> None:
        """Handled before Slack is acknowledged: it does not send an acknowledged event again."""

        async def heard() -> None:
            """Dealt with in the middleware, which runs before Bolt acknowledges."""

        if kind not in self._events:
            self._app.event(kind)(heard)
        self._events.setdefault(kind, []).append(handle)

    async def _keep_event(self, body: dict[str, Any], next: Callable[[], Awaitable[None]]) -> None:  # noqa: A002  Bolt passes it by this name
        event = body.get("event")
        if body.get("type") == "event_callback" and isinstance(event, dict):
            for handle in self._events.get(str(event.get("type")), ()):
                await handle(body)
        await next()

    def _listener(
        self, read: Callable[[Payload], Interaction], handle: Handler, gate: May | Judged | Open
    ) -> Callable[..., Awaitable[None]]:
        async def listener(ack: AsyncAck, body: dict[str, Any]) -> None:
            interaction = self._read(read, body)
            async with in_time():
                if isinstance(gate, May) and (refused := await self._refusal(interaction, gate)):
                    place, why = refused
                    after: After = self._replies.tell(place, interaction.person, why)
                else:
                    after = await handle(interaction)
            await ack()
            self._go_on(interaction, after)

        return listener

    async def _refusal(self, interaction: Interaction, gate: May) -> tuple[Place, Message] | None:
        """Where the person is told, and what."""
        place = await gate.where(interaction)
        why = await self._gatekeeper(gate, place, interaction.person)
        return (place, why) if why else None

    def _read(self, read: Callable[[Payload], Interaction], body: Payload) -> Interaction:
        interaction = read(body)
        place = interaction.place
        know(anew=True, workspace=place.workspace, channel=place.channel, person=interaction.person)
        self._replies.remember(interaction)
        return interaction

    def _go_on(self, interaction: Interaction, after: After) -> None:
        if isinstance(after, Message):
            after = self._replies.tell(interaction.place, interaction.person, after)
        elif isinstance(after, Instead):
            after = self._replies.replace(interaction, after.message)
        if after is not None:
            self._tasks.spawn(after, f"after {interaction.action_id or 'an interaction'}")
