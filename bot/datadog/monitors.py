"""Monitors and their alerts: read a monitor, mute and unmute it with a downtime; the newest event in which it went wrong,
or one event by its id, with the two members a Bits trigger needs.

An event has two ids: the long UID of API version 2, and the number (`event_id` here) that Bits wants.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.datadog.client import Datadog, JsonObject, member, objects, segment, text, texts, whole
from bot.datadog.errors import NotFound, Unreadable

READ = "monitors_read"
MUTE = "monitors_downtime"
READ_EVENTS = "events_read"
MOST_PAGES = 3
_DOWNTIME_PATH = "/api/v2/downtime"
_SEARCH_PATH = "/api/v2/events/search"
_PAGE_SIZE = 100
_ALERTING = frozenset({"alert", "warning", "warn", "no data", "renotify"})
_UID = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_=+/-]{12,200}")
_TRANSITION_TYPES = {"warn": "warning", "recovered": "alert recovery"}  # where the API has another word than we


@dataclass(frozen=True, slots=True)
class Monitor:
    name: str
    tags: tuple[str, ...] = ()
    priority: int | None = None  # 1 to 5


class Monitors:
    def __init__(self, client: Datadog) -> None:
        self._client = client

    async def get(self, monitor_id: int) -> Monitor:
        answer = await self._client.call("GET", f"/api/v1/monitor/{monitor_id}", permission=READ)
        priority = whole(answer, "priority")
        return Monitor(text(answer, "name"), texts(answer, "tags"), priority if priority in range(1, 6) else None)

    async def mute(self, monitor_id: int, *, until: datetime, scope: str, message: str) -> str:
        """Silence a monitor from now until a time; the answer is what to unmute."""
        if until.tzinfo is None:
            raise ValueError("The end of a downtime needs its time zone.")
        attributes: JsonObject = {
            "scope": scope,
            "monitor_identifier": {"monitor_id": monitor_id},
            "schedule": {"start": None, "end": until.astimezone(UTC).isoformat(timespec="seconds")},
            "mute_first_recovery_notification": True,
            "message": message,
        }
        body = {"data": {"type": "downtime", "attributes": attributes}}
        answer = await self._client.call("POST", _DOWNTIME_PATH, json=body, permission=MUTE)
        downtime_id = text(answer, "data", "id")
        if not downtime_id:
            raise Unreadable("Datadog muted a monitor without naming the downtime")
        return downtime_id

    async def unmute(self, downtime_id: str) -> None:
        await self._client.call("DELETE", f"{_DOWNTIME_PATH}/{segment(downtime_id)}", permission=MUTE)


# -- titles of alerts: what happened, to which monitor, in which group; ids come from links only --------------------------


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
        return name, _plain_group(told)
    found = _GROUP_IN_BRACES.fullmatch(name) or _GROUP_OF_TAGS.fullmatch(name)
    return (found["name"], _plain_group(found["group"])) if found else (name, "")


def _plain_group(group: str) -> str:
    return "" if group.strip() == "*" else group.strip()


# -- alert events -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AlertEvent:
    event_id: str
    event_ts: int  # Unix milliseconds
    monitor_id: int  # 0 when Datadog does not say
    monitor_name: str = ""
    group: str = ""
    transition: str = ""

    @property
    def alerting(self) -> bool:
        """Whether it reports trouble, not its end."""
        return self.transition in _ALERTING


class Events:
    def __init__(self, client: Datadog) -> None:
        self._client = client

    async def latest_alert(self, monitor_id: int, group: str = "") -> AlertEvent | None:
        """The newest event of the last seven days in which the monitor (in this group) went wrong."""
        cursor = ""
        for _ in range(MOST_PAGES):
            answer = await self._search(f"source:alert @monitor.id:{monitor_id}", cursor)
            for hit in objects(answer, "data"):
                event = _from_search(hit, monitor_id)
                if event and event.alerting and _same_group(event.group, group):
                    return event
            cursor = text(answer, "meta", "page", "after")
            if not cursor:
                break
        return None

    async def _search(self, query: str, cursor: str) -> JsonObject:
        page: JsonObject = {"limit": _PAGE_SIZE} | ({"cursor": cursor} if cursor else {})
        body = {"filter": {"query": query, "from": "now-7d", "to": "now"}, "sort": "-timestamp", "page": page}
        return await self._client.call("POST", _SEARCH_PATH, json=body, permission=READ_EVENTS, repeatable=True)

    async def by_id(self, event_id: str) -> AlertEvent | None:
        """One event by either of its ids; None when Datadog knows none. Its monitor may be missing from the answer."""
        numbered = bool(re.fullmatch(r"[0-9]{1,20}", event_id))
        if not numbered and not _UID.fullmatch(event_id):
            return None
        version = "v1" if numbered else "v2"
        try:
            answer = await self._client.call(
                "GET", f"/api/{version}/events/{segment(event_id)}", permission=READ_EVENTS
            )
        except NotFound:
            return None
        event = member(answer, "event" if numbered else "data")
        if not isinstance(event, dict):
            return None
        return _from_v1(event, event_id) if numbered else _from_search(event, 0)


def _from_search(hit: JsonObject, monitor_id: int) -> AlertEvent | None:
    inner = member(hit, "attributes", "attributes")
    event_id = text(inner, "evt", "id")
    event_ts = whole(inner, "timestamp") or _ms(text(hit, "attributes", "timestamp"))
    if not event_id or not event_ts:
        return None
    told = _read(text(inner, "title") or text(inner, "evt", "name"))
    return AlertEvent(
        event_id=event_id,
        event_ts=event_ts,
        monitor_id=whole(inner, "monitor_id") or whole(inner, "monitor", "id") or monitor_id,
        monitor_name=text(inner, "monitor", "name") or told.name,
        group=_group(inner),
        transition=text(inner, "monitor", "transition", "transition_type").strip().lower() or _transition(told),
    )


def _from_v1(event: JsonObject, event_id: str) -> AlertEvent:
    told = _read(text(event, "title"))
    return AlertEvent(
        event_id=event_id,
        event_ts=(whole(event, "date_happened") or 0) * 1000,
        monitor_id=whole(event, "monitor_id") or 0,
        monitor_name=told.name,
        group=",".join(texts(event, "monitor_groups")) or told.group,
        transition=_transition(told),
    )


def _read(title: str) -> AlertTitle:
    return read_title(" ".join(title.split()))


def _transition(told: AlertTitle) -> str:
    """In the API's word for it; empty for a title that tells none."""
    kind = transition_kind(told.transition)
    return _TRANSITION_TYPES.get(kind, kind)


def _group(inner: JsonObject) -> str:
    groups = texts(inner, "monitor_groups") or texts(inner, "monitor", "groups")
    return ",".join(groups) or text(inner, "monitor", "result", "group_key")


def _same_group(of_event: str, wanted: str) -> bool:
    """Groups of several tags are written in any order."""
    return wanted.strip() in {"", "*"} or _tags(of_event) == _tags(wanted)


def _tags(group: str) -> frozenset[str]:
    return frozenset(tag.strip() for tag in group.split(",") if tag.strip())


def _ms(timestamp: str) -> int | None:
    try:
        return round(datetime.fromisoformat(timestamp).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
