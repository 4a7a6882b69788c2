"""Datadog URLs, read without asking anybody: which monitor, event, investigation or case a link means.

Nothing here raises, whatever the text; a link that is not clearly https on a host of Datadog's app is no link.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from bot.datadog.shapes import text
from bot.datadog.sites import Site, locate

# A notification's link shows the time from 15 minutes before its event to 5 minutes after it.
_BEFORE_EVENT_MS = 900_000
_AFTER_EVENT_MS = 300_000
_FIRST_MS = 100_000_000_000  # below it a time is in seconds: the year 5138 in seconds, 1973 in milliseconds
_LAST_MS = 10_000_000_000_000  # beyond it a number is no time: the year 2286
_LARGEST_ID = 2**63 - 1

_HOST = re.compile(r"(?!-)[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.ASCII)
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_CASE_KEY = re.compile(r"[A-Z][A-Z0-9]*-[0-9]{1,18}", re.IGNORECASE)
_EVENT_UID = re.compile(r"[A-Za-z0-9+/_-]{16,300}={0,2}")
_IN_TEXT = re.compile(r"""https://[^\s<>|"'`\\^{}\x00-\x20\x7f]+""", re.IGNORECASE)
_ESCAPED_END = re.compile(r"&(?:gt|lt|quot);.*", re.DOTALL)
# Datadog's hosts beside its app. No organisation can have these as its own sub-domain.
_NOT_THE_APP = frozenset({"api", "blog", "docs", "help", "learn", "p", "static", "status", "support", "www"})


@dataclass(frozen=True, slots=True)
class DatadogUrl:
    """A URL that is certain to lie in Datadog's app, taken apart. Values are decoded, the first of each name."""

    url: str
    site: Site
    subdomain: str  # the organisation's own, empty for the site's common host
    segments: tuple[str, ...]
    query: dict[str, str]
    fragment: str

    @property
    def path(self) -> str:
        return "/" + "/".join(self.segments)


@dataclass(frozen=True, slots=True)
class MonitorLink:
    url: str
    site: Site
    subdomain: str
    monitor_id: int
    event_id: str = ""
    event_ts: int | None = None  # Unix milliseconds
    group: str = ""


@dataclass(frozen=True, slots=True)
class EventLink:
    """An event by its numeric id, or by the long UID of the event explorer."""

    url: str
    site: Site
    subdomain: str
    event_id: str = ""
    uid: str = ""


@dataclass(frozen=True, slots=True)
class InvestigationLink:
    url: str
    site: Site
    subdomain: str
    investigation_id: str


@dataclass(frozen=True, slots=True)
class CaseLink:
    url: str
    site: Site
    subdomain: str
    key_or_id: str


@dataclass(frozen=True, slots=True)
class OtherLink:
    url: str
    site: Site
    subdomain: str
    path: str


Link = MonitorLink | EventLink | InvestigationLink | CaseLink | OtherLink


def parse_link(url: str) -> Link | None:
    """What the URL means; None when it is not a link into Datadog's app."""
    place = read_url(url)
    if place is None:
        return None
    link = _monitor(place) or _event(place) or _investigation(place) or _case(place)
    return link or OtherLink(place.url, place.site, place.subdomain, place.path)


def find_links(words: str) -> list[Link]:
    """The Datadog links in any text, Slack's `<url|label>` included, in order and each once."""
    found = (parse_link(url) for url in _urls(words))
    return list({link.url: link for link in found if link}.values())


def is_datadog_url(url: str) -> bool:
    return read_url(url) is not None


def read_url(url: str) -> DatadogUrl | None:
    """Take a URL apart if it is https on a host of Datadog's app, without user, port or strange characters."""
    clean = re.sub(r"&(?:amp;)+", "&", url.strip())
    if _UNSAFE.search(clean):
        return None
    try:
        parts = urlsplit(clean)
    except ValueError:
        return None
    location = locate(parts.netloc) if _HOST.fullmatch(parts.netloc.lower()) else None
    if parts.scheme != "https" or location is None or not _may_be_app(location.subdomain):
        return None
    fragment, _, late_query = parts.fragment.partition("?")
    return DatadogUrl(
        url=clean,
        site=location.site,
        subdomain=location.subdomain,
        segments=_segments(parts.path),
        query=_query(late_query) | _query(parts.query),
        fragment=fragment,
    )


def _may_be_app(subdomain: str) -> bool:
    return "." not in subdomain and subdomain not in _NOT_THE_APP


def _segments(path: str) -> tuple[str, ...]:
    return tuple(text(unquote(part)) for part in path.split("/") if part)


def _query(query: str) -> dict[str, str]:
    pairs = parse_qsl(query)
    return {name: text(value) for name, value in reversed(pairs)}


def _monitor(place: DatadogUrl) -> MonitorLink | None:
    if place.segments[:1] != ("monitors",):
        return None
    # `/monitors#123`, `/monitors#status/123` and `/monitors#status?id=123` are years old and still in threads.
    steps = place.segments[1:2] or _segments(place.fragment)
    candidates = [*steps, place.query.get("id", "")] if len(place.segments) == 1 else steps
    monitor_id = next((int(step) for step in candidates if _is_number(step)), 0)
    if not 0 < monitor_id <= _LARGEST_ID:
        return None
    return MonitorLink(
        url=place.url,
        site=place.site,
        subdomain=place.subdomain,
        monitor_id=monitor_id,
        event_id=_number(place, "event_id") or _number(place, "link_event_id"),
        event_ts=_event_ts(place),
        group=place.query.get("group", ""),
    )


def _event_ts(place: DatadogUrl) -> int | None:
    for name, offset in (("link_event_ts", 0), ("from_ts", _BEFORE_EVENT_MS), ("to_ts", -_AFTER_EVENT_MS)):
        told = int(_number(place, name) or 0)
        if 0 < told < _LAST_MS:
            return (told if told >= _FIRST_MS else told * 1000) + offset
    return None


def _event(place: DatadogUrl) -> EventLink | None:
    if place.segments[:1] != ("event",):
        return None
    event_id = _number(place, "event_id") or _number(place, "id") or _number(place, "event")
    # An unescaped plus of the base64 was read as a space.
    uid = place.query.get("event", "").replace(" ", "+")
    uid = uid if _EVENT_UID.fullmatch(uid) and not _is_number(uid) else ""
    if not event_id and not uid:
        return None
    return EventLink(place.url, place.site, place.subdomain, event_id, uid)


def _investigation(place: DatadogUrl) -> InvestigationLink | None:
    if place.segments[:2] != ("bits-ai", "investigations") or len(place.segments) < 3:
        return None
    named = place.segments[2]
    if not _UUID.fullmatch(named):
        return None
    return InvestigationLink(place.url, place.site, place.subdomain, named)


def _case(place: DatadogUrl) -> CaseLink | None:
    if place.segments[:1] not in {("cases",), ("work",)} or len(place.segments) < 2:
        return None
    named = place.segments[1]
    if _CASE_KEY.fullmatch(named):
        return CaseLink(place.url, place.site, place.subdomain, named.upper())
    return CaseLink(place.url, place.site, place.subdomain, named) if _UUID.fullmatch(named) else None


def _number(place: DatadogUrl, name: str) -> str:
    value = place.query.get(name, "")
    return value if _is_number(value) else ""


def _is_number(value: str) -> bool:
    # Event ids embed a time and outgrow 19 digits in 2027.
    return value.isascii() and value.isdigit() and len(value) <= 20


def _urls(words: str) -> Iterator[str]:
    for match in _IN_TEXT.finditer(words):
        yield _without_punctuation(_ESCAPED_END.sub("", match.group()))


def _without_punctuation(url: str) -> str:
    """The URL without the full stop, bracket or asterisk of the sentence around it."""
    end = len(url)
    open_brackets = url.count("(") - url.count(")")
    while end and not (url[end - 1].isalnum() or url[end - 1] in "/=%&+#_-"):
        if url[end - 1] == ")":
            if open_brackets >= 0:
                break
            open_brackets += 1
        end -= 1
    return url[:end]
