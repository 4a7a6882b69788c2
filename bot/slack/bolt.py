"""Slack's framework as this bot uses it: a request finds its listener at little cost."""

from typing import Any

from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.listener_matcher.async_builtins import AsyncBuiltinListenerMatcher
from slack_bolt.listener_matcher.async_listener_matcher import AsyncListenerMatcher
from slack_bolt.response import BoltResponse


class BoltApp(AsyncApp):
    """Bolt asks one listener after the other whether a request is meant for it, and for each gathers anew whatever a
    function could be given. Its own matchers are given the body alone."""

    def _register_listener(
        self, functions: Any, primary_matcher: AsyncListenerMatcher, *more: Any, **named: Any
    ) -> Any:
        if isinstance(primary_matcher, AsyncBuiltinListenerMatcher) and list(primary_matcher.arg_names) == ["body"]:
            primary_matcher = _MatcherOfBody(primary_matcher)
        return super()._register_listener(functions, primary_matcher, *more, **named)


class _MatcherOfBody(AsyncListenerMatcher):
    def __init__(self, matcher: AsyncBuiltinListenerMatcher) -> None:
        self._fits: Any = matcher.func

    async def async_matches(self, req: AsyncBoltRequest, resp: BoltResponse) -> bool:  # noqa: ARG002  as Bolt asks
        return bool(await self._fits(req.body))
