"""Threads as people see them, behind the four calls the poster makes; and messages in one line each."""

import itertools
from typing import TYPE_CHECKING, Any, ClassVar

from multidict import CIMultiDict, CIMultiDictProxy
from slack_sdk.errors import SlackApiError

from bot.investigations.repository import InvestigationRepository
from bot.investigations.tables import CARD, CONCLUSIONS
from bot.slack.blocks import Message
from bot.slack.clients import BotClient
from bot.slack.poster import Urgency
from bot.storage.outbox import Delivery, Outbox

if TYPE_CHECKING:
    from tests.investigations.world import Network

OUR_BOT = "BBITS"


class Answer(dict[str, Any]):
    """Slack's answer to a call, with what slack_sdk adds to it."""

    def __init__(self, body: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> None:
        super().__init__(body)
        self.status_code = status
        self.headers = CIMultiDictProxy(CIMultiDict(headers or {}))


def says(code: str, *, status: int = 200, headers: dict[str, str] | None = None) -> SlackApiError:
    return SlackApiError("Slack says no", Answer({"ok": False, "error": code}, status, headers))  # type: ignore[no-untyped-call]


def slow_down(seconds: int) -> SlackApiError:
    return says("ratelimited", status=429, headers={"Retry-After": str(seconds)})


class FakeSlack:
    """One workspace. `said` is what a thread shows, `edits` how often a message was changed."""

    def __init__(self, network: "Network") -> None:
        self.network = network
        self.messages: list[dict[str, Any]] = []
        self.archived: set[str] = set()
        self.ids = "UBITS", OUR_BOT
        self.edits = 0
        self.page = 1_000  # messages it lets a thread be read by at once
        self.posts: list[dict[str, Any]] = []  # the arguments of every post that landed
        self._ts = itertools.count(1)
        self.client: Any = _Client(self)

    async def bot_client(self, workspace: str) -> BotClient | None:
        return BotClient(self.client, *self.ids, workspace) if workspace == "T1" else None

    def said(self, channel: str = "C1", thread: str = "1.1") -> list[str]:
        return [
            message["text"]
            for message in self.messages
            if message["channel"] == channel and message["thread_ts"] == thread
        ]

    def cards(self) -> list[str]:
        return [message["text"] for message in self.messages if message["text"].startswith("card")]

    def write(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if arguments["channel"] in self.archived:
            raise says("is_archived")
        message = self.message(arguments)
        self.posts.append(arguments)
        self.messages.append(message)
        return message

    def message(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return {
            "channel": arguments["channel"],
            "thread_ts": arguments.get("thread_ts") or "",
            "text": arguments["text"],
            "blocks": arguments["blocks"],
            "metadata": arguments["metadata"],
            "bot_id": OUR_BOT,
            "ts": f"{int(self.network.clock.now)}.{next(self._ts):06d}",
        }

    def change(self, arguments: dict[str, Any]) -> dict[str, Any]:
        for message in self.messages:
            if message["channel"] == arguments["channel"] and message["ts"] == arguments["ts"]:
                message |= {"text": arguments["text"], "blocks": arguments["blocks"]}
                self.edits += 1
                return message
        raise says("message_not_found")


class _Client:
    def __init__(self, slack: FakeSlack) -> None:
        self._slack = slack

    async def chat_postMessage(self, **arguments: Any) -> Answer:  # noqa: N802  slack_sdk's name
        message = await self._slack.network.call("post", lambda: self._slack.write(arguments))
        return Answer({"ok": True, "ts": message["ts"]})

    async def chat_update(self, **arguments: Any) -> Answer:
        message = await self._slack.network.call("edit", lambda: self._slack.change(arguments))
        return Answer({"ok": True, "ts": message["ts"]})

    async def conversations_replies(self, *, channel: str, ts: str, **paging: Any) -> Answer:
        return await self._slack.network.call("look", lambda: self._page(channel, ts, paging))

    async def conversations_history(self, *, channel: str, **paging: Any) -> Answer:
        return await self._slack.network.call("look", lambda: self._page(channel, "", paging))

    def _page(self, channel: str, thread: str, paging: dict[str, Any]) -> Answer:
        assert paging["include_all_metadata"] is True
        oldest, latest = float(paging["oldest"]), float(paging.get("latest", "inf"))
        found = [
            message
            for message in self._slack.messages
            if message["channel"] == channel
            and message["thread_ts"] == thread
            and oldest < float(message["ts"]) < latest
        ]
        if not thread:
            found.reverse()
        size = min(paging["limit"], self._slack.page)
        return Answer({"ok": True, "messages": found[:size], "has_more": len(found) > size})

    async def conversations_open(self, *, users: str) -> Answer:
        return Answer({"ok": True, "channel": {"id": users}})


class Card:
    urgency: ClassVar[Urgency] = Urgency.CARD

    def __init__(self, repository: InvestigationRepository, outbox: Outbox) -> None:
        self._repository = repository
        self._outbox = outbox

    async def message(self, delivery: Delivery, *, may_repeat: bool) -> Message | None:  # noqa: ARG002
        found = await self._repository.get(delivery.post.subject_id)
        if found is None:
            return None
        why = f" ({found.failure.kind})" if found.failure else ""
        return Message(f"card: {found.state}{why}", [{"type": "divider"}])

    async def refused(self, delivery: Delivery, code: str) -> None:
        """The real one answers the person alone; nothing of that is the heart's."""


class Conclusions:
    urgency: ClassVar[Urgency] = Urgency.ANSWER

    def __init__(self, repository: InvestigationRepository, outbox: Outbox) -> None:
        self._repository = repository
        self._outbox = outbox

    async def message(self, delivery: Delivery, *, may_repeat: bool) -> Message | None:
        found = await self._repository.get(delivery.post.subject_id)
        if found is None:
            return None
        told = ", ".join(each.title for each in found.conclusions) or "nothing"
        note = " (you may have seen this)" if may_repeat else ""
        return Message(f"{found.verdict or found.state}: {told}{note}", [{"type": "divider"}])

    async def refused(self, delivery: Delivery, code: str) -> None:  # noqa: ARG002
        await self._outbox.instead_to_requester(delivery)


KINDS: dict[str, type[Card | Conclusions]] = {CARD: Card, CONCLUSIONS: Conclusions}
