"""Answers to what a person did, as they are shown: ephemeral unless told otherwise, also where the bot is no member."""

from bot.sandbox.slack.contents import checked_attachments, checked_blocks, checked_metadata
from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.handles import ResponseUrl
from bot.sandbox.slack.messages import Content
from bot.sandbox.slack.platform import Platform
from bot.sandbox.slack.render import JSON
from bot.sandbox.slack.world import Author


def post_answer(slack: Platform, handle: ResponseUrl, content: Content, args: JSON) -> None:
    """Posts an answer, or shows it to one person. Also the way an answer given with a command's acknowledgement is shown."""
    if content.is_empty:
        raise ApiError("no_text")
    author = _author(slack, handle)
    thread_ts = args.get("thread_ts") or (handle.thread_ts if handle.original else None)
    if args.get("response_type") == "in_channel":
        slack.messages.post(handle.channel, author, content, thread_ts=thread_ts)
    else:
        slack.messages.post_ephemeral(handle.channel, author, content, only_for=handle.user_id, thread_ts=thread_ts)


def _author(slack: Platform, handle: ResponseUrl) -> Author:
    install = slack.install_of(handle.channel.team_id)
    if install is None:
        raise ApiError("account_inactive")
    return Author(install.bot_user_id, slack.app.name, install.bot_id, slack.app.id, handle.channel.team_id)


def response_content(args: JSON) -> Content:
    content = Content(parse=str(args.get("parse", "none")), link_names=bool(args.get("link_names")))
    if args.get("text") is not None:
        content.text = str(args["text"])
    if args.get("blocks"):
        content.blocks = checked_blocks(args["blocks"])
        if any(block["type"] == "markdown" for block in content.blocks):
            raise ApiError("internal_error")  # reported of the real one: markdown blocks fail here
    if args.get("attachments"):
        content.attachments = checked_attachments(args["attachments"])
    content.metadata = checked_metadata(args.get("metadata")) or None
    return content
