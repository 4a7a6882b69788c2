"""Answers over a response URL: five in thirty minutes."""

import json
from typing import Any

from aiohttp import web

from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.handles import ResponseUrl
from bot.sandbox.slack.messages import Content
from bot.sandbox.slack.platform import Platform
from bot.sandbox.slack.render import JSON
from bot.sandbox.slack.responses import post_answer, response_content
from bot.sandbox.slack.webapi import WebApi

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
