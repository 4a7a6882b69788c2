"""A channel as people read it, as plain text that a test can hold against what stands in the test."""

from datetime import UTC, datetime

from bot.sandbox.slack.world import Channel, Message

_REPLY_INDENT = "    "
_BODY_INDENT = "  "


def transcript(channel: Channel, viewer: str | None = None, *, times: bool = False) -> str:
    """The channel with its threads indented. Ephemeral messages show for their reader, with "*" for everyone."""
    lines = [_heading(channel)]
    whispered = [one for one in channel.ephemerals if viewer in ("*", one.only_for)]
    for message in _in_order([*channel.top_level, *(one for one in whispered if one.thread_ts is None)]):
        lines += _shown(message, "", times=times)
        if message.thread_ts is None:
            below = [one for one in whispered if one.thread_ts == message.ts]
            for reply in _in_order([*message.replies, *below]):
                lines += _shown(reply, _REPLY_INDENT, times=times)
    return "\n".join(lines)


def thread_text(message: Message, viewer: str | None = None) -> str:
    """One thread: the message and what stands under it."""
    channel = message.channel
    below = [one for one in channel.ephemerals if one.thread_ts == message.ts and viewer in ("*", one.only_for)]
    lines = _shown(message, "", times=False)
    for reply in _in_order([*message.replies, *below]):
        lines += _shown(reply, _REPLY_INDENT, times=False)
    return "\n".join(lines)


def _heading(channel: Channel) -> str:
    if channel.kind in ("im", "mpim"):
        return f"DM of {' and '.join(sorted(map(channel.name_of, channel.members)))}"
    return f"#{channel.name}"


def _in_order(messages: list[Message]) -> list[Message]:
    return sorted(messages, key=lambda message: message.ts)


def _shown(message: Message, indent: str, *, times: bool) -> list[str]:
    marks = [
        " (only visible to you)" if message.only_for else "",
        " (also sent to the channel)" if message.broadcast else "",
        " (edited)" if message.edited_ts else "",
    ]
    when = f"{datetime.fromtimestamp(float(message.ts), UTC):%H:%M:%S} " if times else ""
    head = f"{indent}{when}{message.author.name}{''.join(marks)}:"
    body = message.lines or [""]
    lines = [f"{head} {body[0]}".rstrip(), *(f"{indent}{_BODY_INDENT}{line}".rstrip() for line in body[1:])]
    if message.reactions:
        counted = " ".join(f":{name}: {len(users)}" for name, users in message.reactions.items())
        lines.append(f"{indent}{_BODY_INDENT}{counted}")
    return lines
