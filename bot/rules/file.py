"""Channel rules kept as a file: read once at the start, every problem told at once with its place in the file."""

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from bot.rules.schema import WrittenBook, WrittenCase, WrittenChannel, WrittenFilter, WrittenStarters, WrittenWorkspace

_Path = tuple[str | int, ...]
_KNOWN_NAMES = {
    name
    for model in (WrittenBook, WrittenChannel, WrittenWorkspace, WrittenFilter, WrittenStarters, WrittenCase)
    for name in model.model_fields
}
_FORMS = {
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "string_type": "must be text; put it in quotes",
    "list_type": "must be a list, like [a, b]",
    "model_type": "must be a group of settings, like {tags: [team:core]}; {} means every alert",
    "missing": "is missing",
}


class RuleFileProblems(Exception):  # noqa: N818 - it carries several problems, each a sentence for a person
    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


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
        book = WrittenBook.model_validate(content)
    except ValidationError as error:
        book = WrittenBook()
        problems += [(tuple(each["loc"]), _what(each)) for each in error.errors()]
    problems += _twice(book)
    if problems:
        problems.sort(key=lambda problem: lines.line_of(problem[0]))
        raise RuleFileProblems([lines.sentence(path, what) for path, what in problems])
    return RuleFile(name, tuple(book.channels), tuple(book.workspaces))


class _Lines:
    """Where each part of the file stands."""

    def __init__(self, name: str, root: yaml.Node | None = None) -> None:
        self._name = name
        self._at: dict[_Path, int] = {}
        self.doubled: list[tuple[_Path, str]] = []
        if root is not None:
            self._walk(root, ())

    def _walk(self, node: yaml.Node, path: _Path) -> None:
        self._at.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                inner = (*path, str(key.value))
                if inner in self._at:
                    self.doubled.append((inner, f"stands there twice, again in line {key.start_mark.line + 1}"))
                self._at[inner] = key.start_mark.line + 1
                self._walk(value, inner)
        elif isinstance(node, yaml.SequenceNode):
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
        case "extra_forbidden":
            name = str(error["loc"][-1])
            near = difflib.get_close_matches(name, _KNOWN_NAMES, n=1)
            return "is no setting of the rules file" + (f" (did you mean {near[0]}?)" if near else "")
        case "value_error":
            return f"is not usable: {context['error']}"
        case "greater_than_equal" | "greater_than" | "less_than_equal" | "less_than" | "string_too_long":
            return f"is out of range: {error['msg'].lower()}"
        case _:
            return _FORMS.get(kind, f"is not usable: {error['msg'].lower()}")


def _twice(book: WrittenBook) -> Iterator[tuple[_Path, str]]:
    """The same channel or workspace written down in two entries: which would count?"""
    lists = {
        "channels": [(entry.workspace, entry.channel) for entry in book.channels],
        "workspaces": [(entry.workspace, "") for entry in book.workspaces],
    }
    for name, keys in lists.items():
        for number, key in enumerate(keys):
            if key in keys[:number]:
                yield (name, number), f"is about the same as {name}[{keys.index(key)}]; keep one of them"


def _shown(path: _Path) -> str:
    """channels[0].route.tags, as people write it."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
