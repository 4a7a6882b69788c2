"""URLs, read with suspicion and without asking anybody: where they stand in a text, and what a link into Datadog's app
means: a monitor, an event, an investigation, a case, or another page.

Nothing here raises, whatever the text; a link that is not clearly https on a host of Datadog's app is no link.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import quote, unquote, unquote_plus, urlsplit


@dataclass(frozen=True, slots=True)
class Site:
    domain: str
    region: str
    bare_app_host: bool = True
    offers_bits: bool = True  # as Datadog's documents have it; its API reference lists every site, so all are asked
    offers_cases: bool = True
    on_call: str = "navy.oncall.datadoghq.com"  # the host that takes pages, by Datadog's API reference
    offers_on_call: bool = True

    @property
    def api_url(self) -> str:
        return f"https://api.{self.domain}"

    @property
    def app_url(self) -> str:
        return f"https://{self.domain}" if self.bare_app_host else f"https://app.{self.domain}"

    def offers(self, path: str) -> bool:
        """Whether Datadog's documents offer there what this path of the API belongs to."""
        if path.startswith("/api/v2/bits-ai/"):
            return self.offers_bits
        if path.startswith("/api/v2/on-call/"):
            return self.offers_on_call
        return self.offers_cases or not path.startswith("/api/v2/cases")


SITES = (
    Site("datadoghq.com", "US1", bare_app_host=False),
    Site("us3.datadoghq.com", "US3", on_call="teal.oncall.datadoghq.com"),
    Site("us5.datadoghq.com", "US5", on_call="coral.oncall.datadoghq.com"),
    Site("datadoghq.eu", "EU1", bare_app_host=False, on_call="beige.oncall.datadoghq.eu"),
    Site("ap1.datadoghq.com", "AP1", on_call="saffron.oncall.datadoghq.com"),
    Site("ap2.datadoghq.com", "AP2", on_call="lava.oncall.datadoghq.com"),
    Site("uk1.datadoghq.com", "UK1", on_call="scarlet.oncall.datadoghq.com"),
    Site("ddog-gov.com", "US1-FED", bare_app_host=False, offers_bits=False, offers_on_call=False),
    Site("us2.ddog-gov.com", "US2-FED", offers_bits=False, offers_cases=False, offers_on_call=False),
)

_LONGEST_FIRST = sorted(SITES, key=lambda site: len(site.domain), reverse=True)


@dataclass(frozen=True, slots=True)
class Location:
    """The site a host belongs to, and the organisation's own sub-domain if the host has one."""

    site: Site
    subdomain: str = ""


def is_host(name: str) -> bool:
    """A host or the first part of one, and nothing that ends it early in an address, like # or /."""
    return re.fullmatch(rf"{_LABEL}(?:\.{_LABEL})*", name) is not None


def site_named(parameter: str) -> Site | None:
    wanted = parameter.strip().lower()
    return next((site for site in SITES if site.domain == wanted), None)


def locate(host: str) -> Location | None:
    """Which site serves this host; None for a host that is not Datadog's."""
    name = host.strip().lower().removesuffix(".")
    if not is_host(name):
        return None
    for site in _LONGEST_FIRST:
        if name == site.domain:
            return Location(site)
        if name.endswith(f".{site.domain}"):
            subdomain = name.removesuffix(f".{site.domain}")
            return Location(site, "" if subdomain == "app" else subdomain)
    return None


# A notification's link shows the time from 15 minutes before its event to 5 minutes after it.
_BEFORE_EVENT_MS = 900_000
_AFTER_EVENT_MS = 300_000
_FIRST_MS = 100_000_000_000  # below it a time is in seconds: the year 5138 in seconds, 1973 in milliseconds
_LAST_MS = 10_000_000_000_000  # beyond it a number is no time: the year 2286
_LARGEST_ID = 2**63 - 1

_UNSAFE = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*(?::[0-9]{{1,5}})?")
_SLASHES = re.compile("/{2,}")
_AMPERSANDS = re.compile(r"&(?:amp;)+")
# What has a meaning in the texts around URLs is encoded, so that a ref is read back as it was written.
_SAFE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"<>\\^`{|}')
_TO_ENCODE = re.compile(f"[^{re.escape(_SAFE)}]")

_MONITOR_PAGE = re.compile(r"/monitors/(?:status/)?([0-9]{1,20})(?:/.*)?")
_NO_SINGLE_EVENT = re.compile(r"/event/(?:correlation|overview).*")
UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_INVESTIGATION_PAGE = re.compile(rf"/bits-ai/investigations/({UUID})(?:/.*)?")
_CASE_PAGE = re.compile(rf"/(?:cases|work)/(?:(?P<key>[A-Za-z][A-Za-z0-9]*-[0-9]{{1,18}})|(?P<id>{UUID}))(?:/.*)?")
_CASE_KEY = re.compile(r"#?(?P<key>[A-Za-z][A-Za-z0-9]{0,31}-[0-9]{1,18})", re.ASCII)
_CASE_ID = re.compile(UUID)
_EVENT_UID = re.compile(r"[A-Za-z0-9_\-+/=~.:]{8,300}")
_NAMES_OF_AN_EVENT = ("event_id", "id", "event", "uid")
# Datadog's hosts beside its app. No organisation can have these as its own sub-domain.
_NOT_THE_APP = frozenset({"api", "blog", "docs", "help", "learn", "p", "static", "status", "support", "www"})
_SUBDOMAIN = re.compile(r"(?!-)[a-z0-9-]*")

# Where a query says when somebody looked or where they came from, and not what they looked at.
_NOISE = {"from_ts", "to_ts", "live", "fromUser", "refresh_mode", "paused", "fullscreen_start_ts", "fullscreen_end_ts"}
_NOISE |= {"fullscreen_paused", "fullscreen_refresh_mode", "fullscreen_section"}
_NOISE_WHEN_A_TIME = frozenset({"start", "end", "from", "to"})
_TIME = re.compile(r"-?\d{9,17}")


# -- any URL ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Url:
    """An https URL taken apart. Path, parameters and fragment are percent-encoded, the values of `query` decoded."""

    text: str
    host: str  # with its port, if that is unusual
    path: str
    parameters: tuple[str, ...]
    fragment: str
    query: Mapping[str, str] = field(compare=False)  # of several of one name the first

    def ids(self, *names: str) -> Iterator[str]:
        """What these parameters hold. The unescaped plus of a base64 id was read as a space."""
        return (self.query[name].replace(" ", "+") for name in names if name in self.query)

    def ref(self, *without: str, path: str = "") -> str:
        """Path and query inside the app, without tracking, time and the parameters named here."""
        kept = [parameter for parameter in self.parameters if not _is_noise(parameter, without)]
        return (path or self.path) + ("?" + "&".join(kept) if kept else "")


def _is_noise(parameter: str, names: tuple[str, ...]) -> bool:
    key, _, value = parameter.partition("=")
    name = unquote(key) if "%" in key else key
    if name in _NOISE or name in names or name.startswith(("link_", "utm_")):
        return True
    return name in _NOISE_WHEN_A_TIME and _TIME.fullmatch(value) is not None


def open_url(url: str) -> Url | None:
    """The parts of an https URL; None where two readers could disagree about its host."""
    clean = _AMPERSANDS.sub("&", url.strip())
    encoded = clean
    if _TO_ENCODE.search(clean):
        if _UNSAFE.search(clean):
            return None
        encoded = quote(clean, safe=_SAFE)
    try:
        parts = urlsplit(encoded)
    except ValueError:
        return None
    host = parts.netloc.lower().removesuffix(":443").removesuffix(".")
    if parts.scheme != "https" or not _HOST.fullmatch(host):
        return None
    path = (_SLASHES.sub("/", parts.path) if "//" in parts.path else parts.path).rstrip("/") or "/"
    parameters = tuple(parameter for parameter in parts.query.split("&") if parameter)
    late_query = parts.fragment.partition("?")[2]
    return Url(
        clean,
        host,
        path,
        parameters,
        parts.fragment,
        _decoded((*parameters, *late_query.split("&")) if late_query else parameters),
    )


def _decoded(parameters: tuple[str, ...]) -> dict[str, str]:
    query: dict[str, str] = {}
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if value and "%" not in parameter and "+" not in parameter:
            query.setdefault(name, value)
        elif value:
            query.setdefault(unquote(name), unquote_plus(value).replace("\x00", ""))
    return query


# -- links into Datadog's app -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Link:
    """A page of Datadog's app."""

    address: Url
    location: Location

    @property
    def url(self) -> str:
        return self.address.text

    @property
    def host(self) -> str:
        """Which organisation it means: its site, and the sub-domain if it has one."""
        return self.address.host

    @property
    def site(self) -> Site:
        return self.location.site

    @property
    def subdomain(self) -> str:
        """The organisation's own; empty for the site's common host."""
        return self.location.subdomain

    def may_be_of(self, home: Location) -> bool:
        """Whether it means something in that organisation: where either has no sub-domain, the site decides."""
        same = not (self.subdomain and home.subdomain) or self.subdomain == home.subdomain.lower()
        return self.site == home.site and same


@dataclass(frozen=True, slots=True)
class MonitorLink(Link):
    monitor_id: int  # what a database holds as a whole number, above 0
    event_id: str = ""
    event_ts: int | None = None  # Unix milliseconds
    group: str = ""


@dataclass(frozen=True, slots=True)
class EventLink(Link):
    """An event by its numeric id, or by the long UID of the event explorer."""

    event_id: str = ""
    uid: str = ""


@dataclass(frozen=True, slots=True)
class InvestigationLink(Link):
    investigation_id: str


@dataclass(frozen=True, slots=True)
class CaseLink(Link):
    key_or_id: str


def home_of(app_url: str) -> Location:
    """Where an organisation's pages stand: a link from anywhere else means something else."""
    link = parse_link(app_url)
    return link.location if link else Location(SITES[0])


def parse_link(url: str) -> Link | None:
    """What the URL means; None when it is not a link into Datadog's app."""
    address = open_url(url)
    return read_link(address) if address else None


def read_link(address: Url) -> Link | None:
    location = app_location(address.host)
    if location is None:
        return None
    read = _READERS.get(address.path.split("/", 2)[1])
    return (read(address, location) if read else None) or Link(address, location)


def is_datadog_url(url: str) -> bool:
    return parse_link(url) is not None


@lru_cache(maxsize=1_000)
def app_location(host: str) -> Location | None:
    """Whose app the host serves; None for a host that serves no app of Datadog's."""
    location = locate(host)
    if location is None or location.subdomain in _NOT_THE_APP or not _SUBDOMAIN.fullmatch(location.subdomain):
        return None
    return location


def _monitor(address: Url, location: Location) -> MonitorLink | None:
    monitor_id = int(_monitor_id(address))
    if not 0 < monitor_id <= _LARGEST_ID:
        return None
    return MonitorLink(
        address,
        location,
        monitor_id=monitor_id,
        event_id=_number(address, "event_id", "link_event_id"),
        event_ts=_event_ts(address),
        group=address.query.get("group", ""),
    )


def _monitor_id(address: Url) -> str:
    if found := _MONITOR_PAGE.fullmatch(address.path):
        return found[1]
    if address.path != "/monitors":
        return "0"
    # `/monitors#123`, `/monitors#status/123` and `/monitors#status?id=123` are years old and still in threads.
    steps = address.fragment.partition("?")[0].split("/")
    return next((step for step in (*steps, address.query.get("id", "")) if _is_number(step)), "0")


def _event_ts(address: Url) -> int | None:
    for name, offset in (("link_event_ts", 0), ("from_ts", _BEFORE_EVENT_MS), ("to_ts", -_AFTER_EVENT_MS)):
        told = int(_number(address, name) or 0)
        if 0 < told < _LAST_MS:
            return (told if told >= _FIRST_MS else told * 1000) + offset
    return None


def _event(address: Url, location: Location) -> EventLink | None:
    if _NO_SINGLE_EVENT.fullmatch(address.path):
        return None
    event_id = _number(address, *_NAMES_OF_AN_EVENT)
    uids = (value for value in address.ids(*_NAMES_OF_AN_EVENT) if not event_id and _EVENT_UID.fullmatch(value))
    uid = next(uids, "")
    return EventLink(address, location, event_id, uid) if event_id or uid else None


def _investigation(address: Url, location: Location) -> InvestigationLink | None:
    found = _INVESTIGATION_PAGE.fullmatch(address.path)
    return InvestigationLink(address, location, found[1]) if found else None


def _case(address: Url, location: Location) -> CaseLink | None:
    found = _CASE_PAGE.fullmatch(address.path)
    return CaseLink(address, location, (found["id"] or "").lower() or found["key"].upper()) if found else None


_READERS: dict[str, Callable[[Url, Location], Link | None]] = {
    "monitors": _monitor,
    "event": _event,
    "bits-ai": _investigation,
    "cases": _case,
    "work": _case,
}


def _number(address: Url, *names: str) -> str:
    for name in names:
        if _is_number(value := address.query.get(name, "")):
            return value
    return ""


def _is_number(value: str) -> bool:
    # Event ids embed a time and outgrow 19 digits in 2027.
    return value.isdigit() and value.isascii() and len(value) <= 20


# -- URLs in texts ----------------------------------------------------------------------------------------------------

_UNSEEN = "\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
_NOT_IN_URL = rf"\s<>\"\x00-\x1f\x7f{_UNSEEN}"
# Slack's <url|label>; a URL, which ends where a second one is glued to it (but not where it carries one as a value or
# in its path); and a URL copied without its scheme.
_IN_TEXT = re.compile(
    r"<(?P<wrapped>https?://[^<>|\s]*)(?:\|[^<>]*)?>"
    rf"|(?P<plain>https?://(?:[^h{_NOT_IN_URL}]+|h(?!ttps?://)|(?<=[=/:?#&%])h)*)"
    rf"|(?<![\w@./-])(?P<bare>(?:[a-z0-9-]{{1,63}}\.){{1,5}}(?:com|eu|org)/[^{_NOT_IN_URL}]*)",
    re.IGNORECASE,
)
_NEVER_IN_A_LINK = str.maketrans(dict.fromkeys("<>|\"'`\\^{}", " "))
_TRAILING = ".,;:!?'*~`|\u2026\u201d\u2019\u00bb\u3002"
_BRACKETS = {")": "(", "]": "[", "}": "{"}
_DROPPED_AT_THE_END = {*_TRAILING, *_BRACKETS.values()}
_FILLER = " -\u2013\u2014\u2022*.,;:|()[]{}<>\"'`\u200b\u200c\u200d\u200e\u200f\ufeff"


@dataclass(frozen=True, slots=True)
class Pasted:
    """One piece of pasted text: a URL, or the words that stood between two."""

    text: str
    is_url: bool


def find_links(words: str) -> list[Link]:
    """The Datadog links in any text, the labels of Slack's `<url|label>` included, in order and each once."""
    if "://" not in words:
        return []
    text = _unescape(words).translate(_NEVER_IN_A_LINK)
    found = (parse_link(_trimmed(each["plain"])) for each in _IN_TEXT.finditer(text) if each["plain"])
    return list({link.url: link for link in found if link}.values())


def split_pasted(text: str) -> Iterator[Pasted]:
    """Every URL and every stretch of words, in the order pasted; punctuation around URLs is dropped."""
    unescaped = _unescape(text)
    position = 0
    for start, end, url in _found_urls(unescaped):
        yield from _words(unescaped[position:start])
        yield Pasted(url, is_url=True)
        position = end
    yield from _words(unescaped[position:])


def case_named(text: str, home: Location | None = None) -> str:
    """The key or id of the case that the text names and names only; empty for none.

    Where `home` is given, a link of another site or organisation names none of ours.
    """
    pieces = tuple(split_pasted(text))
    if len(pieces) != 1:
        return ""
    if pieces[0].is_url:
        link = parse_link(pieces[0].text)
        return link.key_or_id if isinstance(link, CaseLink) and (home is None or link.may_be_of(home)) else ""
    if key := _CASE_KEY.fullmatch(pieces[0].text):
        return key["key"].upper()
    return pieces[0].text.lower() if _CASE_ID.fullmatch(pieces[0].text) else ""


def is_case_key(identifier: str) -> bool:
    return _CASE_KEY.fullmatch(identifier) is not None


def _unescape(text: str) -> str:
    """Slack's three entities, also when escaped twice; of others only quotes, since `&para=` is a parameter and no ¶."""
    return _AMPERSANDS.sub("&", text).replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"')


def _found_urls(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _IN_TEXT.finditer(text):
        if wrapped := match["wrapped"]:
            yield match.start(), match.end(), wrapped
        else:
            url = _trimmed(match[0])
            yield match.start(), match.start() + len(url), f"https://{url}" if match["bare"] else url


def _trimmed(url: str) -> str:
    """Without the sentence's punctuation, and without a bracket that was opened before the URL."""
    while url and (
        url[-1] in _DROPPED_AT_THE_END or (url[-1] in _BRACKETS and url.count(url[-1]) > url.count(_BRACKETS[url[-1]]))
    ):
        url = url[:-1]
    return url


def _words(text: str) -> Iterator[Pasted]:
    words = " ".join(text.split()).strip(_FILLER)
    if words.strip(_FILLER + _TRAILING):
        yield Pasted(words, is_url=False)
