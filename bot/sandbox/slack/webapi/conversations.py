"""conversations.* and reactions.*: reading channels and threads, joining, opening direct messages."""

import base64
from collections.abc import Sequence
from typing import Any, TypeVar

from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.events import HISTORY_SCOPE, READ_SCOPE
from bot.sandbox.slack.faults import TIERS
from bot.sandbox.slack.render import JSON
from bot.sandbox.slack.webapi.call import MethodCall, method
from bot.sandbox.slack.world import Channel, Message

T = TypeVar("T")
LARGEST_PAGE = 999
LIMITED_PAGE = 15  # for distributed apps that are not in the Marketplace


def page(call: MethodCall, items: Sequence[T], *, default: int, largest: int = LARGEST_PAGE) -> tuple[list[T], str]:
    """The page a cursor asks for, and the cursor of the next ('' at the end)."""
    limit = call.number("limit", default)
    if limit < 1:
        raise ApiError("invalid_limit")
    start = _offset(call.text("cursor"))
    end = start + min(limit, largest)
    following = base64.b64encode(f"next:{end}".encode()).decode() if end < len(items) else ""
    return list(items[start:end]), following


def _offset(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.b64decode(cursor, validate=True).decode().removeprefix("next:"))
    except ValueError:
        raise ApiError("invalid_cursor") from None


def _readable(call: MethodCall) -> Channel:
    channel = call.channel()
    call.need_scope(HISTORY_SCOPE[channel.kind])
    if not call.is_member(channel):
        raise ApiError("not_in_channel")
    return channel


def _within(call: MethodCall, messages: list[Message]) -> list[Message]:
    oldest, latest = call.text("oldest", "0"), call.text("latest")
    try:
        low, high = float(oldest), float(latest or "inf")
    except ValueError:
        raise ApiError("invalid_ts_oldest") from None
    if call.flag("inclusive"):
        return [message for message in messages if low <= float(message.ts) <= high]
    return [message for message in messages if low < float(message.ts) < high]


def _messages(call: MethodCall, messages: list[Message], default: int) -> JSON:
    largest = LIMITED_PAGE if call.slack.reads_limited else LARGEST_PAGE
    shown, cursor = page(call, messages, default=min(default, largest), largest=largest)
    everything = call.flag("include_all_metadata")
    answer: JSON = {
        "ok": True,
        "messages": [message.to_json(metadata=everything) for message in shown],
        "has_more": bool(cursor),
    }
    if cursor:
        answer["response_metadata"] = {"next_cursor": cursor}
    return answer


@method("conversations.replies", TIERS[3])
def replies(call: MethodCall) -> JSON:
    channel = _readable(call)
    wanted = channel.message(call.need("ts"))
    if wanted is None:
        raise ApiError("thread_not_found")
    thread = [wanted] if wanted.thread_ts else [wanted, *_within(call, wanted.replies)]
    return _messages(call, thread, default=1000)


@method("conversations.history", TIERS[3])
def history(call: MethodCall) -> JSON:
    channel = _readable(call)
    newest_first = _within(call, channel.top_level)[::-1]
    return _messages(call, newest_first, default=100) | {"pin_count": 0}


@method("conversations.info", TIERS[3])
def info(call: MethodCall) -> JSON:
    channel = call.channel()
    call.need_scope(READ_SCOPE[channel.kind])
    shown = channel.to_json(call.install.bot_user_id)
    if not call.flag("include_num_members"):
        shown.pop("num_members", None)
    return {"ok": True, "channel": shown}


@method("conversations.members", TIERS[4])
def members(call: MethodCall) -> JSON:
    channel = call.channel()
    call.need_scope(READ_SCOPE[channel.kind])
    shown, cursor = page(call, sorted(channel.members), default=100)
    return {"ok": True, "members": shown, "response_metadata": {"next_cursor": cursor}}


_KINDS = {"public_channel": "public", "private_channel": "private", "im": "im", "mpim": "mpim"}


@method("conversations.list", TIERS[2])
def list_channels(call: MethodCall) -> JSON:
    kinds = [_KINDS.get(name.strip()) for name in call.text("types", "public_channel").split(",")]
    if None in kinds:
        raise ApiError("invalid_types")
    for kind, scope in READ_SCOPE.items():
        if kind in kinds:
            call.need_scope(scope)
    visible: list[Any] = [
        channel
        for channel in call.workspace.channels.values()
        if channel.kind in kinds
        and (channel.kind == "public" or call.is_member(channel))
        and not (call.flag("exclude_archived") and channel.archived)
    ]
    shown, cursor = page(call, visible, default=100)
    me = call.install.bot_user_id
    return {
        "ok": True,
        "channels": [channel.to_json(me) for channel in shown],
        "response_metadata": {"next_cursor": cursor},
    }


@method("conversations.open", TIERS[3], "im:write", "mpim:write")
def open_conversation(call: MethodCall) -> JSON:
    if call.text("channel"):
        channel = call.channel()
    else:
        wanted = [name.strip() for name in call.need("users").split(",")]
        workspace = next((one for one in call.workspaces if all(name in one.users for name in wanted)), None)
        if workspace is None:
            raise ApiError("user_not_found")
        channel = workspace.dm(call.install.bot_user_id, *wanted)
    shown = channel.to_json(call.install.bot_user_id) if call.flag("return_im") else {"id": channel.id}
    return {"ok": True, "channel": shown}


@method("conversations.join", TIERS[3], "channels:join")
def join(call: MethodCall) -> JSON:
    channel = call.channel()
    if channel.kind != "public":
        raise ApiError("method_not_supported_for_channel_type")
    if channel.archived:
        raise ApiError("is_archived")
    call.slack.join(channel, call.install.bot_user_id)
    return {"ok": True, "channel": channel.to_json(call.install.bot_user_id)}


@method("reactions.add", TIERS[3], "reactions:write")
def add_reaction(call: MethodCall) -> JSON:
    channel = call.channel()
    message = channel.message(call.need("timestamp"))
    if message is None:
        raise ApiError("message_not_found")
    if not call.is_member(channel):
        raise ApiError("not_in_channel")
    who = message.reactions.setdefault(call.need("name").strip(":"), [])
    if call.install.bot_user_id in who:
        raise ApiError("already_reacted")
    who.append(call.install.bot_user_id)
    return {"ok": True}


@method("reactions.remove", TIERS[2], "reactions:write")
def remove_reaction(call: MethodCall) -> JSON:
    channel = call.channel()
    message = channel.message(call.need("timestamp"))
    if message is None:
        raise ApiError("message_not_found")
    name = call.need("name").strip(":")
    if call.install.bot_user_id not in message.reactions.get(name, []):
        raise ApiError("no_reaction")
    message.reactions[name].remove(call.install.bot_user_id)
    if not message.reactions[name]:
        del message.reactions[name]
    return {"ok": True}
