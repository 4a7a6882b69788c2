"""Where Datadog's webhook arrives: what it sends is read and in the database when `Intake.take` returns.

It is read however it was set up: our template, Datadog's own body, as JSON or as a form. Every value may be missing, empty
or nonsense; only a body that names neither a monitor, nor an event, nor a title is refused. Nothing here calls Slack or Datadog.
"""

import json
import re
import time
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

from bot.alerts.model import Notice, Transition
from bot.alerts.tables import NEW, alert_notices
from bot.datadog.links import EventLink, MonitorLink, find_links, parse_link
from bot.datadog.monitors import read_title, transition_kind
from bot.storage.inbox import Inbox
from bot.web.datadog_webhook import MalformedError

_LONGEST = 2_000
_LONGEST_TEXT = 20_000
_MOST_TAGS = 200
_MOST_FIELDS = 200
_LARGEST_ID = 2**63 - 1
_FIRST_MS = 100_000_000_000  # below it a time is in seconds
_LAST_MS = 10_000_000_000_000
_UNKEPT = re.compile("[\x00\ud800-\udfff]")  # what a database or UTF-8 does not take
_UNFILLED = re.compile(r"\$[A-Z][A-Z_]*(?:\[[^\]]*\])?\Z")  # a variable Datadog did not know
_PRIORITY = re.compile(r"P?([1-5])\Z", re.IGNORECASE)
_VALUE_LINES = (
    re.compile(r"metric value:", re.IGNORECASE),
    re.compile(r"\bmonitor's value\b|\bvalue (?:was|is)\b", re.IGNORECASE),
    re.compile(r"\b(?:was|is|were)\b.*(?:[<>]|\babove\b|\bbelow\b)", re.IGNORECASE),
)
_TYPES = {"error": Transition.ALERT, "warning": Transition.WARN, "success": Transition.RECOVERED}


class Intake:
    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def take(self, org: str, body: bytes, content_type: str) -> bool:
        """False for a notification that is here already. Raises MalformedError for what is no alert."""
        notice = read_notice(body, content_type, received_at=time.time())
        return await self.keep(org, notice)

    async def keep(self, org: str, notice: Notice) -> bool:
        row = {"key": notice_key(org, notice), "org": org, "content": notice, "state": NEW, "attempt": 0}
        return await self._inbox.take(alert_notices, row, times=("received_at", "due_at")) is not None


# -- reading ----------------------------------------------------------------------------------------------------------


def read_notice(body: bytes, content_type: str, *, received_at: float) -> Notice:
    fields = _form(body) if content_type == "application/x-www-form-urlencoded" else _json(body)
    return _Reader(fields).notice(received_at)


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedError("the body is not JSON") from None
    if not isinstance(told, dict):
        raise MalformedError("the body is not a JSON object")
    return told


def _form(body: bytes) -> Mapping[str, Any]:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise MalformedError("the body is not a form") from None
    return dict(pairs)


def notice_key(org: str, notice: Notice) -> str:
    """The same for a notification that Datadog sends again, and for nothing else."""
    told: list[Any] = [org, notice.event_id, notice.word.casefold(), notice.transition]
    if not notice.event_id:
        told += [notice.monitor_id, notice.cycle, notice.group_key, notice.event_ts, notice.name, notice.value]
    return sha256(json.dumps(told).encode()).hexdigest()


class _Reader:
    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields

    def notice(self, received_at: float) -> Notice:
        title, told_text = self._text("title"), self._long_text("text", "body")
        named = read_title(" ".join(title.split()))
        place = self._place(told_text)
        monitor_id = self._number("monitor_id") or (place.monitor_id if isinstance(place, MonitorLink) else 0)
        event_id = self._event_id() or (place.event_id if place else "")
        if not (monitor_id or event_id or title):
            raise MalformedError("the body names no monitor, no event and no title")
        word = self._text("transition") or named.transition
        scope = self._text("scope")
        groups = [part.strip() for part in scope.split(",") if part.strip()]
        return Notice(
            event_ts=self._time("event_ts_ms", "date", "last_updated") or int(received_at * 1000),
            transition=_transition(word, self._text("alert_type")),
            word=word[:60],
            monitor_id=monitor_id,
            event_id=event_id,
            cycle=self._text("cycle"),
            group_key=self._text("aggr") or ",".join(sorted(groups)),
            group=named.group or ("" if scope == "*" else ",".join(groups)),
            name=named.name,
            priority=self._priority(),
            value=self._text("condition") or _value_sentence(told_text),
            tags=self._tags(),
            snapshot=self._text("snapshot"),
            test=named.test,
            message=told_text.replace("%%%", "").strip()[:_LONGEST],
        )

    def _place(self, told_text: str) -> MonitorLink | EventLink | None:
        """Datadog's own body has no monitor id, but links that lead to it."""
        links = [parse_link(self._text("link")), *find_links(told_text)]
        of_monitors = [link for link in links if isinstance(link, MonitorLink)]
        of_events = [link for link in links if isinstance(link, EventLink)]
        return (of_monitors or of_events or [None])[0]

    def _event_id(self) -> str:
        told = (self._text(name) for name in ("event_id", "id"))
        return next((each for each in told if _is_number(each) and int(each)), "")

    def _number(self, name: str) -> int:
        told = self._text(name)
        number = int(told) if _is_number(told) else 0
        return number if number <= _LARGEST_ID else 0

    def _time(self, *names: str) -> int:
        """Unix milliseconds, also where seconds were told; 0 for nothing usable."""
        for name in names:
            told = self._text(name).partition(".")[0]
            number = int(told) if _is_number(told) else 0
            ms = number if number >= _FIRST_MS else number * 1000
            if _FIRST_MS <= ms < _LAST_MS:
                return ms
        return 0

    def _priority(self) -> int | None:
        found = _PRIORITY.match(self._text("priority"))
        return int(found[1]) if found else None

    def _tags(self) -> tuple[str, ...]:
        told = self._fields.get("tags")
        parts = [_plain(tag) for tag in told] if isinstance(told, list) else self._long_text("tags").split(",")
        tags = dict.fromkeys(part.strip()[:200] for part in parts if part.strip())
        return tuple(tags)[:_MOST_TAGS]

    def _text(self, name: str) -> str:
        return _plain(self._fields.get(name)).strip()[:_LONGEST]

    def _long_text(self, *names: str) -> str:
        told = (_plain(self._fields.get(name))[:_LONGEST_TEXT] for name in names)
        return next((text for text in told if text), "")


def _plain(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    try:
        text = str(value)
    except ValueError:  # a number of more digits than Python turns into text
        return ""
    return "" if _UNFILLED.match(text) else _UNKEPT.sub("", text)


def _is_number(told: str) -> bool:
    return told.isascii() and told.isdigit() and len(told) <= 20


def _transition(word: str, alert_type: str) -> Transition:
    if kind := transition_kind(word):
        return Transition(kind)
    return Transition.OTHER if word else _TYPES.get(alert_type.casefold(), Transition.OTHER)


def _value_sentence(text: str) -> str:
    """The line of the message that says what was measured."""
    lines = [line.strip().strip("*") for line in text.replace("%%%", "").splitlines() if line.strip()]
    for pattern in _VALUE_LINES:
        if found := next((line for line in lines if pattern.search(line)), ""):
            return found[:500]
    return ""
