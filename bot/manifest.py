"""The Slack app's manifest for either way of connecting, from the one packaged file that also explains each scope."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Mode = Literal["socket", "http"]

_MARKED_LINE = re.compile(r"^(?P<indent> *)#(?P<marker>socket|http|url|work_objects): (?P<line>.*)$")
_ADDRESS = re.compile(r"https://[A-Za-z0-9.\-:\[\]]+(/[A-Za-z0-9._~\-/]*)?")


@dataclass(frozen=True, slots=True)
class Scopes:
    """What the bot cannot work without, and what opens one more feature each."""

    required: tuple[str, ...]
    optional: tuple[str, ...]


def as_yaml(mode: Mode, url: str | None = None, *, work_objects: bool = False) -> str:
    """The manifest with its comments, ready to be pasted into Slack. `work_objects`: with what BITS_WORK_OBJECTS needs."""
    if mode == "http" and not url:
        raise ValueError("HTTP mode needs the bot's public address: --url https://bot.example.com")
    if url and not _ADDRESS.fullmatch(url):
        raise ValueError("The public address must look like https://bot.example.com: Slack sends to https only")
    wanted: set[str] = {mode, *(["url"] if url else []), *(["work_objects"] if work_objects else [])}
    kept = (_line(line, wanted) for line in _packaged().splitlines())
    return "\n".join(line for line in kept if line is not None).replace("{url}", (url or "").rstrip("/")) + "\n"


def manifest(mode: Mode, url: str | None = None, *, work_objects: bool = False) -> dict[str, Any]:
    import yaml  # noqa: PLC0415  a start with one token reads none

    loaded: dict[str, Any] = yaml.safe_load(as_yaml(mode, url, work_objects=work_objects))
    return loaded


def scopes() -> Scopes:
    listed = manifest("socket")["oauth_config"]["scopes"]
    optional = tuple(listed["bot_optional"])
    return Scopes(required=tuple(scope for scope in listed["bot"] if scope not in optional), optional=optional)


@cache
def _packaged() -> str:
    return files("bot").joinpath("manifest.yml").read_text("utf-8")


def _line(line: str, wanted: set[str]) -> str | None:
    """A marked line stands in the manifest only where its marker is wanted; the others always do."""
    marked = _MARKED_LINE.match(line)
    if marked is None:
        return line
    return marked["indent"] + marked["line"] if marked["marker"] in wanted else None
