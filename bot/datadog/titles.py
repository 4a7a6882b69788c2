"""Datadog's alert titles and transition words, read: what happened, to which monitor, in which group. Titles are only
names; ids come from links."""

import re
from dataclasses import dataclass

_TRANSITION = (
    r"(?:Re-?)?Triggered|(?:Re-?)?Warn(?:ing|ed)?|(?:Re-?)?No[ _-]Data|Renotif(?:y|ied)|Alert|(?:\S+ )?Recovered"
)
_LABEL = re.compile(r"\[(?:TEST|P[1-5])\]\s*|\APage #\d+:\s*", re.IGNORECASE)
_DECORATION = re.compile(r"(?::[\w'+-]+:|[^\w\[{(\"'/#@$%<])+")  # emoji and bold signs in front
_IN_BRACKETS = re.compile(
    rf"\[(?P<transition>{_TRANSITION})(?:\s+on\s+\{{?(?P<group>[^\]]*?)\}}?)?\]\s*(?P<name>.*)", re.IGNORECASE
)
_WITH_COLON = re.compile(rf"(?P<transition>{_TRANSITION})\s*:\s*(?P<name>.*)", re.IGNORECASE)
_GROUP_IN_BRACES = re.compile(r"(?P<name>.*\S)\s+on\s+\{(?P<group>[^{}]*)\}", re.IGNORECASE)
_GROUP_OF_TAGS = re.compile(r"(?P<name>.*\S)\s+on\s+(?P<group>[\w.-]+:[^\s,]+(?:,\s*[\w.-]+:[^\s,]+)*)", re.IGNORECASE)

_REPEATED = re.compile(r"\A(?:re |re(?=triggered))")
_KINDS = {
    "triggered": "alert",
    "alert": "alert",
    "warn": "warn",
    "warning": "warn",
    "warned": "warn",
    "no data": "no data",
    "renotify": "renotify",
    "renotified": "renotify",
    "recovery": "recovered",
    "ok": "recovered",
}


@dataclass(frozen=True, slots=True)
class AlertTitle:
    name: str
    group: str = ""
    transition: str = ""  # lower case, as "triggered", "re-warn", "no data", "recovered"; empty if the title has none
    test: bool = False

    @property
    def recovered(self) -> bool:
        return self.transition.endswith("recovered")


def read_title(title: str) -> AlertTitle:
    """The title is one line. What has none of Datadog's forms is a name as it stands."""
    undecorated = _undecorated(title)
    rest = _undecorated(_LABEL.sub("", undecorated))
    found = _IN_BRACKETS.match(rest) or _WITH_COLON.match(rest)
    transition = found["transition"].lower().replace("_", " ") if found else ""
    told = found.groupdict().get("group") if found else None
    name, group = _name_and_group(found["name"].strip() if found else rest, told)
    return AlertTitle(name, group, transition.replace("no-data", "no data"), "[TEST]" in undecorated.upper())


def transition_kind(word: str) -> str:
    """alert, warn, no data, renotify or recovered, however Datadog writes it; empty for a word that we don't know."""
    plain = _REPEATED.sub("", re.sub(r"[\s_-]+", " ", word.casefold()).strip())
    return "recovered" if plain.endswith("recovered") else _KINDS.get(plain, "")


def _undecorated(title: str) -> str:
    found = _DECORATION.match(title)
    return title[found.end() :].strip(" *_") if found else title.strip(" *_")


def _name_and_group(name: str, told: str | None) -> tuple[str, str]:
    if told is not None:
        return name, _group(told)
    found = _GROUP_IN_BRACES.fullmatch(name) or _GROUP_OF_TAGS.fullmatch(name)
    return (found["name"], _group(found["group"])) if found else (name, "")


def _group(group: str) -> str:
    return "" if group.strip() == "*" else group.strip()
