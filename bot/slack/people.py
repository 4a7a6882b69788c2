"""What Slack says about a person: admin, guest, of another company, member of the groups that rules name.

Kept for some minutes, so that a click is judged at once. What can't be read in time is answered as unknown, never guessed.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from slack_sdk.errors import SlackApiError

from bot.model import PersonFacts, UnknownPerson
from bot.slack.clients import BotClient, Workspaces
from bot.slack.errors import CALL_ERRORS, trouble_of
from bot.slack.text import one_line

logger = logging.getLogger(__name__)

KEPT_FOR = 300.0
PATIENCE = 1.5  # of the three seconds a gesture has
MOST_KEPT = 5_000

_A_DAY = 86_400

T = TypeVar("T")


class _Answers:
    """What Slack answered, by method and key. Somebody who stops waiting does not stop the question: the next click finds
    its answer."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: OrderedDict[tuple[str, ...], tuple[float, Any]] = OrderedDict()
        self._asking: dict[tuple[str, ...], asyncio.Task[Any]] = {}

    async def get(self, key: tuple[str, ...], ask: Callable[[], Awaitable[T]]) -> T:
        until, answer = self._known.get(key, (0.0, None))
        if until > self._clock():
            kept: T = answer
            return kept
        task: asyncio.Task[T] | None = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._ask(key, ask), name="who is this")
            # nobody may be waiting for it any more
            task.add_done_callback(lambda done: None if done.cancelled() else done.exception())
        return await asyncio.shield(task)

    async def _ask(self, key: tuple[str, ...], ask: Callable[[], Awaitable[T]]) -> T:
        try:
            answer = await ask()
        finally:
            self._asking.pop(key, None)
        self._known[key] = (self._clock() + KEPT_FOR, answer)
        while len(self._known) > MOST_KEPT:
            self._known.popitem(last=False)
        return answer

    async def stop(self) -> None:
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class People:
    def __init__(
        self, workspaces: Workspaces, *, patience: float = PATIENCE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._workspaces = workspaces
        self._patience = patience
        self._answers = _Answers(clock)

    async def facts(self, workspace: str, person: str, groups: tuple[str, ...] = ()) -> PersonFacts | UnknownPerson:
        """`groups` are those whose membership matters; each costs a call when it is not known yet."""
        try:
            async with asyncio.timeout(self._patience):
                return await self._facts(workspace, person, groups)
        except CALL_ERRORS as error:
            code = _code(error)
            logger.warning("who %s is can't be told: Slack says %s", person, code)
            return UnknownPerson(code)

    async def name(self, workspace: str, person: str) -> str:
        """What people call somebody, on one line; the id where Slack does not tell."""
        facts = await self.facts(workspace, person)
        return (facts.name if isinstance(facts, PersonFacts) else "") or f"Slack user {person}"

    async def _facts(self, workspace: str, person: str, groups: tuple[str, ...]) -> PersonFacts | UnknownPerson:
        bot_client = await self._workspaces.bot_client(workspace)
        if bot_client is None or not person:
            return UnknownPerson("not_installed")
        facts, members = await asyncio.gather(
            self._answers.get(("person", workspace, person), lambda: _facts(bot_client, workspace, person)),
            asyncio.gather(*(self._members(bot_client, workspace, group) for group in groups)),
        )
        member_of = frozenset(group for group, people in zip(groups, members, strict=True) if person in people)
        return replace(facts, groups=member_of)

    async def _members(self, bot_client: BotClient, workspace: str, group: str) -> frozenset[str]:
        async def ask() -> frozenset[str]:
            answer = await bot_client.client.usergroups_users_list(usergroup=group)
            return frozenset(str(member) for member in answer.get("users") or ())

        return await self._answers.get(("members", workspace, group), ask)

    async def group_handles(self, workspace: str) -> dict[str, str]:
        """The user groups by id, to choose from; empty when they can't be read now."""
        bot_client = await self._workspaces.bot_client(workspace)
        if bot_client is None:
            return {}
        try:
            async with asyncio.timeout(self._patience):
                return await self._answers.get(("groups", workspace), lambda: _handles(bot_client))
        except CALL_ERRORS as error:
            logger.warning("the user groups can't be read: Slack says %s", _code(error))
            return {}

    async def close(self, _within: float) -> None:
        await self._answers.stop()


async def _facts(bot_client: BotClient, workspace: str, person: str) -> PersonFacts:
    answer = await bot_client.client.users_info(user=person)
    user = answer.get("user")
    if not isinstance(user, Mapping) or not user.get("id"):
        raise SlackApiError("nobody in it", {"error": "user_not_found"})  # type: ignore[no-untyped-call]
    return PersonFacts(
        person,
        is_admin=_is_admin(user, workspace, bot_client.enterprise),
        is_guest=any(user.get(name) for name in ("is_restricted", "is_ultra_restricted")),
        is_outsider=_is_outsider(user, workspace, bot_client.enterprise),
        is_deactivated=bool(user.get("deleted")),
        name=_name(user),
        utc_offset=_utc_offset(user),
    )


def _name(user: Mapping[str, Any]) -> str:
    profile = user.get("profile")
    told = profile if isinstance(profile, Mapping) else {}
    names = (told.get("real_name"), user.get("real_name"), told.get("display_name"), user.get("name"))
    return next((name for name in (one_line(str(each or ""), 80) for each in names) if name), "")


def _utc_offset(user: Mapping[str, Any]) -> int:
    told = user.get("tz_offset")
    return told if isinstance(told, int) and abs(told) < _A_DAY else 0


def _is_admin(user: Mapping[str, Any], workspace: str, enterprise: str) -> bool:
    """Of this workspace, or of its whole Enterprise organisation: an admin of a workspace beside it decides nothing here."""
    of_enterprise = user.get("enterprise_user") or {}
    if enterprise and of_enterprise.get("enterprise_id") == enterprise:
        if of_enterprise.get("is_admin") or of_enterprise.get("is_owner"):
            return True
        if not _is_member(user, workspace):
            return False
    return any(user.get(name) for name in ("is_admin", "is_owner", "is_primary_owner"))


def _is_member(user: Mapping[str, Any], workspace: str) -> bool:
    own = user.get("team_id")
    return not own or own == workspace or workspace in ((user.get("enterprise_user") or {}).get("teams") or ())


def _is_outsider(user: Mapping[str, Any], workspace: str, enterprise: str) -> bool:
    """Of another company. People of the same Enterprise organisation belong to us, whatever their workspace."""
    if user.get("is_stranger"):
        return True
    of_enterprise = user.get("enterprise_user") or {}
    if enterprise and of_enterprise.get("enterprise_id") == enterprise:
        return False
    return not _is_member(user, workspace)


async def _handles(bot_client: BotClient) -> dict[str, str]:
    answer = await bot_client.client.usergroups_list()
    return {str(group["id"]): str(group.get("handle") or "") for group in answer.get("usergroups") or ()}


def _code(error: Exception) -> str:
    """`missing_scope` with the scope that is missing: somebody has to add it."""
    if isinstance(error, SlackApiError) and trouble_of(error).code == "missing_scope":
        data = error.response.data if isinstance(error.response.data, dict) else {}
        return f"missing_scope {data.get('needed') or ''}".strip()
    return "timeout" if isinstance(error, TimeoutError) else trouble_of(error).code
