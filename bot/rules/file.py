"""Channel rules kept as a file: read once at the start, every problem told at once with its place in the file.

Channels that the file calls by #name are looked up in Slack once, too. Without that, rules would silently not hold.
"""

import asyncio
import difflib
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, TypeAdapter, ValidationError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.rules.model import (
    AlertFilter,
    AutoCase,
    CaseDefaults,
    ChannelRules,
    Starters,
    WorkspaceRules,
    id_like,
    share_too_big,
)
from bot.slack.clients import BotClient
from bot.slack.errors import CALL_ERRORS, RATE_LIMITED, trouble_of

logger = logging.getLogger(__name__)

_Path = tuple[str | int, ...]
_A_LIST = "must be a list, like [a, b]"
_FORMS = {
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "string_type": "must be text; put it in quotes",
    "list_type": _A_LIST,
    "tuple_type": _A_LIST,
    "frozen_set_type": _A_LIST,
    "dataclass_type": "must be a group of settings, like {tags: [team:core]}; {} means every alert",
    "missing": "is missing",
}
_CHANNEL_NAME = re.compile(r"#?(?P<name>[^\s#@,:;<>|&\"'A-Z]{1,80})\Z")
_PAGE = 500
_MOST_PAGES = 40
_PATIENCE = 120.0  # seconds that a start may wait for Slack to let us read
_KINDS = ("public_channel", "private_channel")  # apart: each needs a scope of its own


class RuleFileProblems(Exception):  # noqa: N818 - it carries several problems, each a sentence for a person
    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


# -- what may stand in it -------------------------------------------------------------------------------------------


def _channel(text: str) -> str:
    """An id as it is; a name in small letters, with its #."""
    if re.fullmatch(r"[CGD][A-Z0-9]{2,30}", text):
        return text
    found = _CHANNEL_NAME.match(text)
    if found is None:
        raise ValueError(f'{text[:60]!r} is no channel; write its id (C…) or its name in quotes ("#alerts")')
    return f"#{found['name']}"


_WorkspaceId = Annotated[str, id_like(r"(?:[TE][A-Z0-9]{2,30})?", "is no workspace id (T…)")]


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenChannel(ChannelRules):
    """One entry: its channel may be a #name, its workspace left out."""

    workspace: _WorkspaceId = ""
    channel: Annotated[str, AfterValidator(_channel)]
    from_file: bool = field(default=True, init=False)

    def placed(self, workspace: str, channel: str) -> ChannelRules:
        return ChannelRules(**{**_members(self), "workspace": workspace, "channel": channel})


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenWorkspace(WorkspaceRules):
    workspace: _WorkspaceId = ""
    from_file: bool = field(default=True, init=False)

    def placed(self, workspace: str) -> WorkspaceRules:
        return WorkspaceRules(**{**_members(self), "workspace": workspace})


def _members(rules: ChannelRules | WorkspaceRules) -> dict[str, Any]:
    return {each.name: getattr(rules, each.name) for each in fields(rules)}


def _share_within_budget(rules: WrittenWorkspace) -> WrittenWorkspace:
    if share_too_big(rules.budget_per_day, rules.automatic_share):
        raise ValueError("automatic_share is more than budget_per_day, of which it is a part")
    return rules


@dataclass(frozen=True, slots=True)
class _Content:
    """The whole file."""

    workspaces: tuple[Annotated[WrittenWorkspace, AfterValidator(_share_within_budget)], ...] = ()
    channels: tuple[WrittenChannel, ...] = ()


def settings_of(part: type[Any]) -> set[str]:
    """What a part of the file may say, by the names it has there."""
    return {"default" if each.name == "is_default" else each.name for each in fields(part)} - {"from_file"}


_NAMES = frozenset[str]().union(
    *map(settings_of, (_Content, WrittenChannel, WrittenWorkspace, AlertFilter, Starters, CaseDefaults, AutoCase))
)

# -- reading it -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RuleFile:
    """The rules of the file, with channels by id or by #name as they were written."""

    name: str = ""
    channels: tuple[WrittenChannel, ...] = ()
    workspaces: tuple[WrittenWorkspace, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Channels that are written by their name."""
        return tuple(entry.channel for entry in self.channels if entry.channel.startswith("#"))

    def within(self, home: str) -> "RuleFile":
        """Where the bot serves one workspace: rules for others have no effect, and nothing that they name is looked for."""
        channels = tuple(entry for entry in self.channels if entry.workspace in {"", home})
        workspaces = tuple(entry for entry in self.workspaces if entry.workspace in {"", home})
        named = {entry.workspace for entry in self.channels} | {entry.workspace for entry in self.workspaces}
        for other in sorted(named - {"", home}):
            logger.warning(
                "%s: the rules for %s have no effect, the workspace of SLACK_BOT_TOKEN is %s", self.name, other, home
            )
        return replace(self, channels=channels, workspaces=workspaces)


def load_rule_file(path: Path) -> RuleFile:
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RuleFileProblems([f"{path} can't be read ({type(error).__name__}): save it as UTF-8."]) from None
    return read_rules(text, path.name)


def read_rules(text: str, name: str) -> RuleFile:
    """YAML, or JSON where the name ends so."""
    content, lines = _read_json(text, name) if name.endswith(".json") else _read_yaml(text, name)
    problems = list(lines.doubled)
    try:
        written = TypeAdapter(_Content).validate_python(content, extra="forbid")
    except ValidationError as error:
        written = _Content()
        problems += [(tuple(each["loc"]), _what(each)) for each in error.errors()]
    problems += _twice(written)
    if problems:
        problems.sort(key=lambda problem: lines.line_of(problem[0]))
        raise RuleFileProblems([lines.sentence(path, what) for path, what in problems])
    return RuleFile(name, written.channels, written.workspaces)


class _Lines:
    """Where each part of the file stands."""

    def __init__(self, name: str, root: Any = None) -> None:
        self._name = name
        self._at: dict[_Path, int] = {}
        self.doubled: list[tuple[_Path, str]] = []
        if root is not None:
            self._walk(root, ())

    def _walk(self, node: Any, path: _Path) -> None:
        self._at.setdefault(path, node.start_mark.line + 1)
        if node.id == "mapping":
            for key, value in node.value:
                inner = (*path, str(key.value))
                if inner in self._at:
                    self.doubled.append((inner, f"stands there twice, again in line {key.start_mark.line + 1}"))
                self._at[inner] = key.start_mark.line + 1
                self._walk(value, inner)
        elif node.id == "sequence":
            for number, value in enumerate(node.value):
                self._walk(value, (*path, number))

    def line_of(self, path: _Path) -> int:
        """That of the nearest part which stands in the file; 0 when lines are not known."""
        return next((self._at[path[:end]] for end in range(len(path), -1, -1) if path[:end] in self._at), 0)

    def sentence(self, path: _Path, what: str) -> str:
        line = self.line_of(path)
        place = f"{self._name}, line {line}" if line else self._name
        shown = _shown(path)
        return f"{place}: {shown}{' ' if shown else 'the file '}{what}."


def _read_yaml(text: str, name: str) -> tuple[Any, _Lines]:
    import yaml  # noqa: PLC0415  only where there is a file

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}, line {mark.line + 1}" if mark else name
        raise RuleFileProblems([f"{where}: this is no YAML ({error.problem or error.context})."]) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RuleFileProblems([f"{name}: this is no YAML ({type(error).__name__})."]) from None
    return {} if content is None else content, _Lines(name, root)


def _read_json(text: str, name: str) -> tuple[Any, _Lines]:
    import yaml  # noqa: PLC0415  it tells where each part stands

    try:
        content = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise RuleFileProblems(
            [f"{name}, line {line}: this is no JSON ({getattr(error, 'msg', 'too deep')})."]
        ) from None
    try:
        return content, _Lines(name, yaml.compose(text, Loader=yaml.SafeLoader))
    except (yaml.YAMLError, ValueError):
        return content, _Lines(name)  # tabs, which YAML does not know: then without lines


def _what(error: Any) -> str:
    kind, context = error["type"], error.get("ctx") or {}
    match kind:
        case "unexpected_keyword_argument":
            name = str(error["loc"][-1])
            near = difflib.get_close_matches(name, _NAMES, n=1)
            return "is no setting of the rules file" + (f" (did you mean {near[0]}?)" if near else "")
        case "value_error":
            return f"is not usable: {context['error']}"
        case "greater_than_equal" | "greater_than" | "less_than_equal" | "less_than" | "string_too_long":
            return f"is out of range: {error['msg'].lower()}"
        case _:
            return _FORMS.get(kind, f"is not usable: {error['msg'].lower()}")


def _twice(written: _Content) -> Iterator[tuple[_Path, str]]:
    """The same channel or workspace written down in two entries: which would count?"""
    lists = {
        "channels": [(entry.workspace, entry.channel) for entry in written.channels],
        "workspaces": [(entry.workspace, "") for entry in written.workspaces],
    }
    for name, keys in lists.items():
        for number, key in enumerate(keys):
            if key in keys[:number]:
                yield (name, number), f"is about the same as {name}[{keys.index(key)}]; keep one of them"


def _shown(path: _Path) -> str:
    """channels[0].route.tags, as people write it."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


# -- channels by name -----------------------------------------------------------------------------------------------


async def channel_ids(bot_client: BotClient | None, file: RuleFile) -> dict[str, str]:
    """Ids by #name. `bot_client` is that of the one workspace; None when the bot serves several."""
    if bot_client is None:
        if problems := _without_home(file):
            raise RuleFileProblems(problems)
        return {}
    found: dict[str, str] = {}
    reasons: list[str] = []
    for kind in _KINDS:
        if set(file.names) - set(found):
            reasons += await _look_up(bot_client, kind, found)
    missing = [name for name in file.names if name not in found]
    if missing:
        raise RuleFileProblems([_not_found(file.name, name, reasons) for name in missing])
    return {name: found[name] for name in file.names}


async def _look_up(bot_client: BotClient, kind: str, found: dict[str, str]) -> list[str]:
    """Adds what there is of one kind; the reasons why not everything could be read."""
    cursor = ""
    for _ in range(_MOST_PAGES):
        try:
            answer = await _page(bot_client, kind, cursor)
        except CALL_ERRORS as error:
            return [f"{trouble_of(error).code} for {kind.replace('_', ' ')}s"]
        for channel in answer.get("channels") or ():
            found.setdefault(f"#{channel.get('name')}", str(channel["id"]))
        cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            break
    return []


async def _page(bot_client: BotClient, kind: str, cursor: str, patience: float = _PATIENCE) -> AsyncSlackResponse:
    """Where Slack says when to ask again, the start waits that long."""
    while True:
        try:
            return await bot_client.client.conversations_list(
                types=kind, limit=_PAGE, exclude_archived=True, cursor=cursor or None
            )
        except SlackApiError as error:
            trouble = trouble_of(error)
            patience -= trouble.wait
            if trouble.code != RATE_LIMITED or patience < 0:
                raise
            logger.info("Slack lets me read its channels in %.0f s; the start waits for that", trouble.wait)
            await asyncio.sleep(trouble.wait)


def _not_found(file: str, name: str, reasons: list[str]) -> str:
    because = f" (Slack says {', '.join(reasons)})" if reasons else ""
    return (
        f"{file}: I can't find a channel {name}{because}. Write its id instead (C…, under the channel's name > About), "
        "or give the app the scopes channels:read and groups:read and invite it there."
    )


def _without_home(file: RuleFile) -> list[str]:
    problems = [
        f"{file.name}: {entry.channel} needs its workspace (workspace: T…), as the bot serves several."
        for entry in file.channels
        if not entry.workspace
    ]
    problems += [
        f"{file.name}: {name} must be written by its id (C…), as the bot serves several workspaces."
        for name in file.names
    ]
    nameless = [entry for entry in file.workspaces if not entry.workspace]
    return problems + [f"{file.name}: each entry of workspaces needs its id (workspace: T…)." for _ in nameless]
