"""chat.*: posting, editing, deleting, ephemeral messages, permalinks."""

from bot.sandbox.slack.blockkit import stored_blocks
from bot.sandbox.slack.contents import checked_attachments, checked_blocks, checked_metadata
from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.faults import SPECIAL_PER_MINUTE, TIERS
from bot.sandbox.slack.messages import Content
from bot.sandbox.slack.render import JSON
from bot.sandbox.slack.webapi.call import MethodCall, method
from bot.sandbox.slack.world import Author, Channel, Message

LONGEST_EDIT = 4000
LONGEST_TEXT = 40_000
SPLIT_AT = 4040
LONGEST_MARKDOWN = 12_000


def content_of(call: MethodCall, *, parse: str, entity_types: frozenset[str] | None = None) -> Content:
    """Text, blocks, attachments and metadata of a call, checked in Slack's order."""
    content = Content(parse=call.text("parse", parse), link_names=call.flag("link_names"))
    if call.args.get("markdown_text") is not None:
        return _markdown_content(call, content)
    if call.args.get("text") is not None:
        content.text = call.text("text")
    blocks = call.structure("blocks", "invalid_blocks_format")
    if blocks is not None:
        content.blocks = checked_blocks(blocks)
    attachments = call.structure("attachments", "invalid_attachments")
    if attachments is not None:
        content.attachments = checked_attachments(attachments)
    content.metadata = checked_metadata(call.structure("metadata", "invalid_metadata_format"), entity_types)
    return content


def _markdown_content(call: MethodCall, content: Content) -> Content:
    if call.args.get("text") or call.args.get("blocks"):
        raise ApiError("markdown_text_conflict")
    words = call.text("markdown_text")
    if len(words) > LONGEST_MARKDOWN:
        raise ApiError("msg_too_long")
    content.text = words
    content.blocks = stored_blocks([{"type": "markdown", "text": words}]) if words else []
    content.metadata = checked_metadata(call.structure("metadata", "invalid_metadata_format"))
    return content


def bot_author(call: MethodCall, channel: Channel) -> Author:
    install = call.install
    return Author(install.bot_user_id, call.slack.app.name, install.bot_id, call.slack.app.id, channel.team_id)


def refuse_posting(call: MethodCall, channel: Channel, *, in_thread: bool) -> None:
    """The reasons why this app may not post in this channel."""
    if channel.archived:
        raise ApiError("is_archived")
    public_ok = channel.kind == "public" and "chat:write.public" in call.install.scopes
    if not call.is_member(channel) and not public_ok:
        raise ApiError("not_in_channel")
    if channel.posting == "restricted":
        raise ApiError("restricted_action")
    if in_thread and channel.posting == "threads_locked":
        raise ApiError("restricted_action_thread_locked")


def checked_thread(call: MethodCall, channel: Channel) -> str | None:
    wanted = call.text("thread_ts")
    if not wanted:
        return None
    parent = channel.message(wanted)
    if parent is None:
        raise ApiError("thread_not_found")
    if parent.thread_ts and parent.thread_ts != parent.ts:
        raise ApiError("cannot_reply_to_message")
    return wanted


def destination(call: MethodCall) -> Channel:
    """Where a post goes: a channel by id or name, or a person's direct messages by user id."""
    wanted = call.need("channel")
    for workspace in call.workspaces:
        if wanted in workspace.users:
            return workspace.dm(wanted, call.install.bot_user_id)
    return call.channel(by_name=True)


@method("chat.postMessage", SPECIAL_PER_MINUTE, "chat:write")
def post_message(call: MethodCall) -> JSON:
    channel = destination(call)
    refuse_posting(call, channel, in_thread=bool(call.text("thread_ts")))
    content = content_of(call, parse="none", entity_types=call.slack.app.entity_types)
    if content.is_empty:
        raise ApiError("no_text")
    content.metadata = content.metadata or None
    thread_ts = checked_thread(call, channel)
    broadcast = bool(thread_ts) and call.flag("reply_broadcast")
    posted: list[Message] = []
    for piece in _pieces(content):
        sent = call.slack.messages.post(
            channel, bot_author(call, channel), piece, thread_ts=thread_ts, broadcast=broadcast
        )
        posted.append(sent.message)
    first = posted[0]
    return {"ok": True, "channel": channel.id, "ts": first.ts, "message": first.to_json(metadata=True)}


def _pieces(content: Content) -> list[Content]:
    """Slack cuts a long bare text into several messages; the metadata stays with the first."""
    text = (content.text or "")[:LONGEST_TEXT]
    if content.blocks or len(text) <= SPLIT_AT:
        content.text = text
        return [content]
    cuts = [text[start : start + LONGEST_EDIT] for start in range(0, len(text), LONGEST_EDIT)]
    first = Content(cuts[0], content.blocks, content.attachments, content.metadata, content.parse, content.link_names)
    return [first, *(Content(cut, parse=content.parse, link_names=content.link_names) for cut in cuts[1:])]


def own_message(call: MethodCall, channel: Channel, error: str) -> Message:
    message = channel.message(call.need("ts"))
    if message is None or message.deleted:
        raise ApiError("message_not_found")
    if message.author.app_id != call.slack.app.id:
        raise ApiError(error)
    return message


@method("chat.update", TIERS[3], "chat:write")
def update(call: MethodCall) -> JSON:
    channel = call.channel()
    message = own_message(call, channel, "cant_update_message")
    if channel.archived:
        raise ApiError("is_archived")
    content = content_of(call, parse="client")
    if content.text is not None and len(content.text) > LONGEST_EDIT and call.args.get("markdown_text") is None:
        raise ApiError("msg_too_long")
    if content.is_empty:
        raise ApiError("no_text")
    call.slack.messages.edit(message, content, call.install.bot_user_id)
    return {
        "ok": True,
        "channel": channel.id,
        "ts": message.ts,
        "text": message.text,
        "message": message.to_json(metadata=True),
    }


@method("chat.delete", TIERS[3], "chat:write")
def delete(call: MethodCall) -> JSON:
    channel = call.channel()
    message = own_message(call, channel, "cant_delete_message")
    call.slack.messages.delete(message)
    return {"ok": True, "channel": channel.id, "ts": message.ts}


@method("chat.postEphemeral", TIERS[4], "chat:write")
def post_ephemeral(call: MethodCall) -> JSON:
    channel = call.channel(by_name=True)
    refuse_posting(call, channel, in_thread=bool(call.text("thread_ts")))
    reader = call.need("user")
    if reader not in channel.members:
        raise ApiError("user_not_in_channel")
    content = content_of(call, parse="none")
    if content.is_empty:
        raise ApiError("no_text")
    if content.text is not None and len(content.text) > LONGEST_TEXT:
        raise ApiError("msg_too_long")
    message = call.slack.messages.post_ephemeral(
        channel, bot_author(call, channel), content, only_for=reader, thread_ts=call.text("thread_ts") or None
    )
    return {"ok": True, "message_ts": message.ts}


@method("chat.getPermalink", SPECIAL_PER_MINUTE)
def get_permalink(call: MethodCall) -> JSON:
    channel = call.channel()
    message = channel.message(call.need("message_ts"))
    if message is None:
        raise ApiError("message_not_found")
    return {"ok": True, "channel": channel.id, "permalink": call.slack.permalink(message)}
