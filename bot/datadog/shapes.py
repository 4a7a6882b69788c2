"""Reading Datadog's JSON without trusting its shape: absent, null and mistyped members become empty values."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from bot.datadog.errors import NotFound

JsonObject = dict[str, Any]

_INT64 = range(-(2**63), 2**63)
_LARGEST_NUMBER = 10**20
_LONGEST_ID = 300


def member(value: Any, *path: str) -> Any:
    """What stands at the end of the path, None as soon as a step is missing."""
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def text(value: Any, *path: str) -> str:
    """Text at the path. Numbers are taken for ids; what no database or message can hold is dropped."""
    found = member(value, *path)
    if isinstance(found, str):
        return found.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found) if -_LARGEST_NUMBER < found < _LARGEST_NUMBER else ""
    return ""


def whole(value: Any, *path: str) -> int | None:
    """A whole number at the path, also one written as text or as 3.0."""
    found = member(value, *path)
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return None
    try:
        number = int(found)
    except (ValueError, OverflowError):
        return None
    return number if number in _INT64 and (not isinstance(found, float) or number == found) else None


def flag(value: Any, *path: str) -> bool:
    return member(value, *path) is True


def objects(value: Any, *path: str) -> Iterator[JsonObject]:
    """The objects of a list at the path, without whatever else stands in it."""
    found = member(value, *path)
    for item in found if isinstance(found, list) else ():
        if isinstance(item, dict):
            yield item


def texts(value: Any, *path: str) -> tuple[str, ...]:
    """The texts of a list at the path; a single text counts as a list of one."""
    found = member(value, *path)
    items = found if isinstance(found, list) else [found]
    return tuple(item for item in map(text, items) if item)


def segment(identifier: str) -> str:
    """An id as one segment of a path. Text that would change the path names nothing Datadog has."""
    if identifier.strip() in {"", ".", ".."} or len(identifier) > _LONGEST_ID:
        raise NotFound("what was asked for is no id of Datadog's")
    return quote(text(identifier), safe="")
