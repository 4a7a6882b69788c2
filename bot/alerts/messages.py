"""What the words of a notice tell: the value and its threshold, the monitor's own message, and the links in it.

All of it is somebody else's text: read here, drawn as text that is live in no way elsewhere.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from bot.alerts.model import Notice
from bot.datadog.links import is_datadog_url
from bot.slack.text import safe_url

_NUMBER = r"[-+]?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?%?"
_VALUE = re.compile(rf"(?:metric value:|monitor's value was|value (?:was|is))\s*({_NUMBER})", re.IGNORECASE)
_THRESHOLD = re.compile(rf"(>=|<=|>|<)\s*({_NUMBER})(?![\w(])")
_CONDITION = re.compile(r"metric value:|monitor's value was|last evaluated|was (?:above|below|[<>])", re.IGNORECASE)
_LABELLED = re.compile(r"\[([^\]\n]{1,80})\]\((https?://[^\s)]+)\)")
_URL = re.compile(r"https?://[^\s<>()\[\]\"'|]+")
_HANDLE = re.compile(r"(?<!\S)@[\w./+-]+(?:@[\w.-]+)?")
_LONGEST_URL = 1_000
_MOST_LINKS = 4


@dataclass(frozen=True, slots=True)
class Measured:
    value: str = ""
    threshold: str = ""  # with its sign, as in "> 90"


def read_measured(notice: Notice) -> Measured:
    """As far as the condition says both; a sentence is shown as it is."""
    value, threshold = _VALUE.search(notice.value), _THRESHOLD.search(notice.value)
    if value is None:
        value = _VALUE.search(notice.message)
    return Measured(value[1].rstrip(",") if value else "", f"{threshold[1]} {threshold[2]}" if threshold else "")


def own_message(notice: Notice) -> str:
    """What whoever made the monitor wrote, without what Datadog adds, whom it notifies and the links shown beside it."""
    return " ".join(" ".join(_own_lines(notice)).split())


def _own_lines(notice: Notice) -> Iterator[str]:
    for line in notice.message.splitlines():
        if line.strip() == notice.value.strip() or _CONDITION.search(line):
            continue
        words = _HANDLE.sub("", _URL.sub("", _LABELLED.sub(r"\1", line))).strip(" -*#:·|")
        # a label whose link is shown below
        if words and not (_URL.search(line) and len(words.split()) <= 2):
            yield words


def links_in(message: str) -> dict[str, str]:
    """By what they are: the runbook, logs, traces, a dashboard. One of each."""
    found: dict[str, str] = {}
    for label, url in _links(message):
        if safe_url(url) and len(url) <= _LONGEST_URL and (name := _name_of(label, url)):
            found.setdefault(name, url)
    return dict(list(found.items())[:_MOST_LINKS])


def _links(message: str) -> Iterator[tuple[str, str]]:
    for line in message.splitlines():
        rest = line
        for match in _LABELLED.finditer(line):
            yield match[1], match[2]
            rest = rest.replace(match[0], "")
        for match in _URL.finditer(rest):
            yield rest[: match.start()], match[0].rstrip(".,;:!?*")


def _name_of(label: str, url: str) -> str:
    path, told = urlsplit(url).path.casefold(), label.casefold()
    if is_datadog_url(url):
        for start, name in (("/logs", "Logs"), ("/apm/trace", "Traces"), ("/dashboard", "Dashboard")):
            if path.startswith(start):
                return name
        return "Runbook" if path.startswith("/notebook") or "runbook" in told else ""
    # where it leads is told: a label alone could say anything
    is_runbook = any(word in f"{told} {path}" for word in ("runbook", "playbook"))
    return f"Runbook ({urlsplit(url).hostname})" if is_runbook else ""


def service_of(notice: Notice) -> list[str]:
    """The tag to look for in logs: its service, else its host."""
    tags = [*notice.tags, *(part.strip() for part in notice.group.split(","))]
    for kind in ("service:", "host:"):
        if found := next((tag for tag in tags if tag.startswith(kind) and not re.search(r"[\s\"*]", tag)), ""):
            return [found]
    return []
