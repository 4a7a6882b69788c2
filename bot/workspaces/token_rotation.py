"""Replaces tokens that end soon. A refresh token works once: one refresh at a time, across replicas, and none is cut off."""

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import Any

from slack_sdk.errors import SlackApiError
from sqlalchemy.exc import SQLAlchemyError

from bot.slack.clients import PatientClient
from bot.slack.errors import CALL_ERRORS, error_code, trouble_of
from bot.workspaces.repository import LOST_REFRESH, Installation, InstallationRepository, Tokens

logger = logging.getLogger(__name__)

_LEASE = 30.0  # longer than a request to Slack may take
_LOOK_AGAIN = 0.2
_REST = 30.0
_LONG_REST = 600.0
_WHILE_IT_WORKS = 1.5  # a gesture has to be answered within three seconds
_WRITE_ATTEMPTS = 6


class TokenNotRenewedError(ConnectionError):
    """The token is over and Slack gave no new one yet; worth another try later."""


@dataclass(frozen=True, slots=True)
class OAuthApp:
    """Our app as Slack's OAuth knows it."""

    client: PatientClient  # holds no token
    client_id: str
    client_secret: str = field(repr=False)

    async def exchange(self, **arguments: str) -> dict[str, Any]:
        """A code or a refresh token for tokens. The SDK's own method for it uses what aiohttp is about to remove."""
        data = {"client_id": self.client_id, "client_secret": self.client_secret, **arguments}
        answer = await self.client.api_call("oauth.v2.access", data=data)
        return answer.data if isinstance(answer.data, dict) else {}


class TokenRotation:
    def __init__(self, records: InstallationRepository, app: OAuthApp, *, owner: str) -> None:
        self._records = records
        self._app = app
        self._owner = owner
        self._under_way: dict[str, asyncio.Task[Installation | None]] = {}

    async def fresh(self, installation: Installation) -> Installation | None:
        """The same install with a token that lasts; None when it is gone. Waits only briefly while the old one works."""
        if not installation.wants_refresh or (installation.resting and not installation.expired):
            return installation
        task = self._task(installation.home)
        done, _ = await asyncio.wait({task}, timeout=_LEASE if installation.expired else _WHILE_IT_WORKS)
        renewed = task.result() if done else installation
        if renewed is not None and renewed.expired and not renewed.dead:
            raise TokenNotRenewedError(f"Slack gave no new token for {renewed.home} yet")
        return renewed

    def _task(self, home: str) -> "asyncio.Task[Installation | None]":
        if home not in self._under_way:
            task = asyncio.create_task(self._renewed(home), name=f"token of {home}")
            self._under_way[home] = task
            task.add_done_callback(self._over)
        return self._under_way[home]

    def _over(self, task: "asyncio.Task[Installation | None]") -> None:
        self._under_way = {home: other for home, other in self._under_way.items() if other is not task}
        if not task.cancelled() and (error := task.exception()):
            logger.warning("%s was not renewed (%s)", task.get_name(), type(error).__name__)

    async def close(self, within: float) -> None:
        """Wait for refreshes under way; an answer that nobody keeps would lock the workspace out."""
        if self._under_way:
            await asyncio.wait(set(self._under_way.values()), timeout=within)

    async def _renewed(self, home: str) -> Installation | None:
        """Ask Slack, or wait for the replica that does."""
        give_up = time.monotonic() + _LEASE * 1.5
        while True:
            ours = await self._records.claim_refresh(home, self._owner, _LEASE)
            if ours is not None:
                await self._refresh(ours)
                return await self._records.at(home)
            theirs = await self._records.at(home)
            if theirs is None or not theirs.wants_refresh or theirs.resting or time.monotonic() > give_up:
                return theirs
            await asyncio.sleep(_LOOK_AGAIN)

    async def _refresh(self, old: Installation) -> None:
        try:
            answer = await self._app.exchange(grant_type="refresh_token", refresh_token=old.tokens.refresh_token)
        except SlackApiError as error:
            await self._refused(old, error)
            return
        except CALL_ERRORS as error:
            logger.warning("the token of %s was not renewed (%s); trying again soon", old.home, type(error).__name__)
            await self._records.rest(old, _REST)
            return
        tokens = tokens_in(answer)
        await (self._keep(old, tokens) if tokens.bot_token else self._records.rest(old, _REST))

    async def _refused(self, old: Installation, error: SlackApiError) -> None:
        if error_code(error) != LOST_REFRESH:
            trouble = trouble_of(error)
            logger.warning("the token of %s was not renewed (%s); trying again soon", old.home, trouble.code)
            await self._records.rest(old, max(trouble.wait, _REST))
            return
        # somebody may have been faster than our reading: then there are newer tokens, and this changes nothing
        await self._records.rest(old, _LONG_REST, problem=LOST_REFRESH)
        current = await self._records.at(old.home)
        if current is not None and current.generation == old.generation:
            left = max(current.tokens.expires_in or 0.0, 0.0) / 60
            logger.error(
                "the token of %s can't be renewed any more and ends in %.0f min: install the app there again",
                old.home,
                left,
            )

    async def _keep(self, old: Installation, tokens: Tokens) -> None:
        """The old refresh token is used up: these must not be lost over a database that is away for a moment."""
        for attempt in range(_WRITE_ATTEMPTS):
            try:
                if await self._records.renew(old, tokens):
                    logger.info("the token of %s was renewed", old.home)
                return
            except (SQLAlchemyError, OSError) as error:
                logger.warning("new tokens of %s are not stored yet (%s)", old.home, type(error).__name__)
                await asyncio.sleep(0.1 * 2**attempt)
        logger.error("new tokens of %s could not be stored: install the app there again", old.home)


def tokens_in(given: dict[str, Any]) -> Tokens:
    """The tokens in an answer of oauth.v2.access."""
    lives = given.get("expires_in")
    return Tokens(
        bot_token=str(given.get("access_token") or ""),
        refresh_token=str(given.get("refresh_token") or ""),
        expires_in=float(lives) if isinstance(lives, int | float) else None,
    )
