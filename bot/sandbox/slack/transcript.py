"""A channel as people read it, as plain text that a test can hold against what stands in the test."""

from datetime import UTC, datetime

from bot.sandbox.slack.world import Channel, Message

_REPLY_INDENT = "    "
_BODY_INDENT = "  "


def transcript(channel: Channel, viewer: str | None = None, *, times: bool = False) -> str:
    """The channel with its threads indented. Ephemeral messages show for their reader, with "*" for everyone."""
    direct = channel.kind in ("im", "mpim")
    members = " and ".join(sorted(map(channel.name_of, channel.members)))
    lines = [f"DM of {members}" if direct else f"#{channel.name}"]
    alone = [one for one in channel.ephemerals if one.thread_ts is None and viewer in ("*", one.only_for)]
    for message in _in_order([*channel.top_level, *alone]):
        if message.thread_ts is None:
            lines += _thread(message, viewer, times=times)
        else:
            lines += _shown(message, "", times=times)
    return "\n".join(lines)


def thread_text(message: Message, viewer: str | None = None) -> str:
    """One thread: the message and what stands under it."""
    return "\n".join(_thread(message, viewer, times=False))


def _thread(message: Message, viewer: str | None, *, times: bool) -> list[str]:
    ephemerals = message.channel.ephemerals
    below = [one for one in ephemerals if one.thread_ts == message.ts and viewer in ("*", one.only_for)]
    lines = _shown(message, "", times=times)
    for reply in _in_order([*message.replies, *below]):
        lines += _shown(reply, _REPLY_INDENT, times=times)
    return lines


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
