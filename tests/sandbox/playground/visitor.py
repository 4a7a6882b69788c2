"""A browser without a page: it reads the state, follows the stream and acts, as the page does."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

JSON = dict[str, Any]
PATIENCE = 60.0
MOST_CALLS = 200


class Visitor:
    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session = session
        self.url = url.rstrip("/")
        self.me = ""

    async def state(self) -> JSON:
        async with self.session.get(f"{self.url}/api/state", params={"as": self.me}) as response:
            found: JSON = await response.json()
            return found

    async def become(self, name: str) -> None:
        people = (await self.state())["people"]
        self.me = next(person["id"] for person in people if person["name"] == name)

    async def post(self, asked: object, headers: Mapping[str, str] | None = None) -> tuple[int, JSON]:
        sent = {"X-Playground": "1"} if headers is None else headers
        async with self.session.post(f"{self.url}/api/act", json=asked, headers=sent) as response:
            return response.status, await response.json()

    async def tries(self, act: str, **args: Any) -> JSON:
        _, done = await self.post({"as": self.me, "kind": act, "args": args})
        return done

    async def does(self, act: str, **args: Any) -> JSON:
        done = await self.tries(act, **args)
        assert done["ok"], done
        return done

    @asynccontextmanager
    async def stream(self) -> AsyncIterator[AsyncIterator[JSON]]:
        """The sections of one event after the other."""
        timeout = aiohttp.ClientTimeout(total=None)
        url = f"{self.url}/api/stream"
        async with self.session.get(url, params={"as": self.me}, timeout=timeout) as response:
            assert response.status == 200
            yield _events(response)

    async def sees(self, there: Callable[[JSON], Any]) -> JSON:
        """The whole state, once it is as wanted."""
        state: JSON = {}
        try:
            async with asyncio.timeout(PATIENCE), self.stream() as events:
                async for sections in events:
                    state = after(state, sections)
                    if there(state):
                        return state
        except TimeoutError:
            raise AssertionError(
                f"never seen; the bot is {state['faults']}, in Slack there is {words(state)}"
            ) from None
        raise AssertionError("the stream ended")

    # -- what people do, by what stands on the screen -------------------------------------------------------------------

    async def channel(self, name: str) -> str:
        channels = (await self.state())["channels"]
        return next(str(channel["id"]) for channel in channels if channel["name"] == name)

    async def clicks(self, label: str, *, thread: str) -> JSON:
        """The newest button with these words in a thread."""
        state = await self.sees(lambda state: _button(state, label, thread))
        channel, message, block, element = _button(state, label, thread)
        return await self.does(
            "click",
            surface={"message": {"channel": channel, "ts": message["ts"]}},
            block_id=block["block_id"],
            action_id=element["action_id"],
        )


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[JSON]:
    """Each event's name stands in `event`, beside its sections."""
    waiting = b""
    async for chunk in response.content.iter_any():
        waiting += chunk
        *whole, waiting = waiting.split(b"\n\n")
        for event in whole:
            name, _, data = event.partition(b"\ndata: ")
            if data:
                yield {"event": name.removeprefix(b"event: ").decode()} | json.loads(data)


def after(state: JSON, change: JSON) -> JSON:
    """The state once an event came in, as the page keeps it."""
    if change["event"] == "state":
        return change
    messages = {**state["messages"], **change.get("messages", {})}
    journal = {call["n"]: call for call in [*state["journal"], *change.get("journal", [])]}
    return (
        state
        | change
        | {"messages": messages, "journal": [journal[number] for number in sorted(journal)[-MOST_CALLS:]]}
    )


def all_messages(state: JSON) -> list[tuple[str, JSON]]:
    return [(channel, message) for channel, messages in state["messages"].items() for message in messages]


def words(state: JSON, thread: str = "") -> str:
    """All that this person can read, or one thread of it, as raw text."""
    return "\n".join(
        json.dumps([message["text"], message.get("blocks"), message.get("attachments")], ensure_ascii=False)
        for _, message in all_messages(state)
        if thread in ("", message.get("thread_ts"))
    )


def _button(state: JSON, label: str, thread: str) -> Any:
    for channel, message in reversed(all_messages(state)):
        if message.get("thread_ts") == thread:
            for block in message.get("blocks", []):
                for element in block.get("elements", []):
                    if element.get("type") == "button" and element["text"]["text"] == label:
                        return channel, message, block, element
    return None


def label_of(modal: JSON) -> dict[str, tuple[str, JSON]]:
    """The inputs of a modal: label to block id and element."""
    return {
        block["label"]["text"]: (block["block_id"], block["element"])
        for block in modal["blocks"]
        if block["type"] == "input"
    }
