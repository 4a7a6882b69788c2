"""Answers over a response URL: five in thirty minutes, ephemeral unless told otherwise, also where the bot is no member."""

import json
from typing import Any

from aiohttp import web

from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.handles import ResponseUrl
from bot.sandbox.slack.messages import Content
from bot.sandbox.slack.platform import Platform
from bot.sandbox.slack.render import JSON
from bot.sandbox.slack.webapi import WebApi
from bot.sandbox.slack.webapi.chat import checked_attachments, checked_blocks, checked_metadata
from bot.sandbox.slack.world import Author

_GONE = ("expired_url", "used_url", "invalid_url")


class Responses:
    def __init__(self, slack: Platform, api: WebApi) -> None:
        self._slack = slack
        self._api = api

    async def handle(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        text = await request.text()
        args = _body(text)
        return await self._api.through_faults(request, "response_url", args, lambda: self._respond(name, args))

    async def _respond(self, name: str, args: JSON) -> web.Response:
        try:
            handle = self._slack.response_urls.use(name)
            self._answer(handle, args)
            handle.uses.append("used")
            answer, status = {"ok": True}, 200
        except ApiError as refused:
            answer, status = refused.answer(), _status(refused.error)
        self._api.note("response_url", args, answer, status)
        return web.json_response(answer, status=status)

    def _answer(self, handle: ResponseUrl, args: JSON) -> None:
        if args.get("delete_original"):
            if {name for name, value in args.items() if value} - {"delete_original"}:  # Bolt sends an empty text along
                raise ApiError("invalid_arguments")
            self._delete(handle)
            return
        content = response_content(args)
        if args.get("replace_original"):
            self._replace(handle, content)
        else:
            post_answer(self._slack, handle, content, args)

    def _replace(self, handle: ResponseUrl, content: Content) -> None:
        original = handle.original
        if original is None or original.deleted or original.author.app_id != self._slack.app.id:
            raise ApiError("cant_update_message")
        if content.is_empty:
            raise ApiError("no_text")
        if content.blocks is None and content.text is not None:
            content.blocks = []
        self._slack.messages.edit(original, content, original.author.user_id)

    def _delete(self, handle: ResponseUrl) -> None:
        original = handle.original
        if original is None or original.deleted or original.author.app_id != self._slack.app.id:
            raise ApiError("cant_delete_message")
        self._slack.messages.delete(original)


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


def _status(error: str) -> int:
    if error in _GONE:
        return 404
    return 500 if error == "internal_error" else 400


def _body(text: str) -> JSON:
    try:
        body: Any = json.loads(text)
    except ValueError:
        body = None
    return body if isinstance(body, dict) else {}
