"""The kinds of insight Datadog knows, in people's words, and what their ids look like; drafts of insights, made
from a kind and an id, and their names; and what was pasted but can't become one. No links are read here."""

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from urllib.parse import quote

from bot.datadog.cases import Insight
from bot.datadog.client import Datadog, member, objects, segment, text
from bot.datadog.errors import DatadogError, Forbidden, NotFound, NotSent, RateLimited, Unauthorized, Unreadable
from bot.datadog.links import UUID
from bot.datadog.monitors import Monitors

InsightKey = tuple[str, str]


class InsightType(StrEnum):
    MONITOR = "MONITOR"
    EVENT = "EVENT"
    INCIDENT = "INCIDENT"
    SECURITY_SIGNAL = "SECURITY_SIGNAL"
    ERROR_TRACKING = "ERROR_TRACKING"
    SECURITY_FINDING = "SECURITY_FINDING"
    WIDGET = "WIDGET"
    WATCHDOG_STORY = "WATCHDOG_STORY"
    EVENT_CORRELATION = "EVENT_CORRELATION"
    CLOUD_COST_RECOMMENDATION = "CLOUD_COST_RECOMMENDATION"
    SENSITIVE_DATA_SCANNER_ISSUE = "SENSITIVE_DATA_SCANNER_ISSUE"
    APM_RECOMMENDATION = "APM_RECOMMENDATION"
    INSIGHT_SCORECARD_CAMPAIGN = "INSIGHT_SCORECARD_CAMPAIGN"
    RESOURCE_POLICY = "RESOURCE_POLICY"
    PROFILING_DOWNSIZING_EXPERIMENT = "PROFILING_DOWNSIZING_EXPERIMENT"
    SCM_URL = "SCM_URL"


@dataclass(frozen=True, slots=True)
class IdForm:
    """What a resource id of one type has to look like, and how to say so."""

    pattern: re.Pattern[str]
    hint: str

    def fits(self, resource_id: str) -> bool:
        return self.pattern.fullmatch(resource_id) is not None


_TOKEN = r"[A-Za-z0-9_\-+/=~.:]"  # noqa: S105 - letters of an id, no secret

_MONITOR_ID = IdForm(re.compile(r"[1-9][0-9]{0,17}|[1-8][0-9]{18}"), "digits only, like 12345678")
_UUID_ID = IdForm(re.compile(UUID), "a UUID, like 9f1c2d3e-4a5b-6c7d-8e9f-0a1b2c3d4e5f")
_DIGITS_OR_UUID = IdForm(re.compile(rf"[0-9]{{1,20}}|{UUID}"), "the incident's number, like 42, or its UUID")
_HEX_32 = IdForm(re.compile(r"[0-9a-fA-F]{32}"), "32 characters, digits and a to f")
_LONG_TOKEN = IdForm(re.compile(rf"{_TOKEN}{{8,300}}"), "8 or more letters, digits, - or _, without spaces")
_CELL = IdForm(re.compile(r"[A-Za-z0-9_\-]{1,64}"), "the widget's number, like 4567890123456789")
_EVENT_ID = IdForm(re.compile(rf"[0-9]{{1,20}}|{_TOKEN}{{8,300}}"), "the event's number, or its long id (AgAAA…)")
_ANY_ID = IdForm(re.compile(r"[\x21-\x7e]{1,500}"), "as its page shows it, without spaces")
_HTTPS_URL = IdForm(re.compile(r"https://[\x21-\x7e]{3,2000}"), "the whole https:// URL")


class LookupKind(StrEnum):
    MONITOR = "monitor"
    INCIDENT = "incident"


@dataclass(frozen=True, slots=True)
class InsightKind:
    """One type as people meet it: its names, its id, and where its page stands."""

    type: InsightType
    name: str
    id_form: IdForm
    ref_hint: str
    page: str = ""  # of any one, up to its id; empty where the page does not follow from the id
    any_case: bool = False  # an id means the same in capitals
    lookup: LookupKind | None = None  # how to learn the name of one

    @property
    def title(self) -> str:
        return self.name[:1].upper() + self.name[1:]

    @property
    def plural(self) -> str:
        return f"{self.name[:-1]}ies" if self.name.endswith("y") else f"{self.name}s"

    @property
    def one(self) -> str:
        return f"{'an' if self.name[0].lower() in 'aeiou' else 'a'} {self.name}"

    def same_id(self, written: str) -> str:
        """One spelling of an id that means the same in capitals."""
        return written.lower() if self.any_case else written


_T = InsightType
KINDS = {
    kind.type: kind
    for kind in (
        InsightKind(
            _T.MONITOR, "monitor", _MONITOR_ID, "/monitors/12345678", page="/monitors/", lookup=LookupKind.MONITOR
        ),
        InsightKind(_T.EVENT, "event", _EVENT_ID, "/event/event?id=8788641826233093636", page="/event/event?id="),
        InsightKind(
            _T.INCIDENT,
            "incident",
            _DIGITS_OR_UUID,
            "/incidents/42",
            page="/incidents/",
            any_case=True,
            lookup=LookupKind.INCIDENT,
        ),
        InsightKind(
            _T.SECURITY_SIGNAL,
            "security signal",
            _LONG_TOKEN,
            "/security/signal?event=AQAAA…",
            page="/security/signal?event=",
        ),
        InsightKind(
            _T.ERROR_TRACKING,
            "error tracking issue",
            _UUID_ID,
            "/error-tracking?issueId=9f1c2d3e-…",
            page="/error-tracking?issueId=",
            any_case=True,
        ),
        InsightKind(_T.SECURITY_FINDING, "security finding", _LONG_TOKEN, "/security/csm/vm?…"),
        InsightKind(_T.WIDGET, "widget", _CELL, "/dashboard/abc-def-ghi?fullscreen_widget=4567890123456789"),
        InsightKind(
            _T.WATCHDOG_STORY,
            "Watchdog story",
            _HEX_32,
            "/watchdog/story/0a1b2c3d…",
            page="/watchdog/story/",
            any_case=True,
        ),
        InsightKind(_T.EVENT_CORRELATION, "event correlation", _ANY_ID, "/event/correlation/…"),
        InsightKind(_T.CLOUD_COST_RECOMMENDATION, "cloud cost recommendation", _ANY_ID, "/cost/recommendations?…"),
        InsightKind(
            _T.SENSITIVE_DATA_SCANNER_ISSUE, "sensitive data issue", _ANY_ID, "/sensitive-data-scanner/telemetry?…"
        ),
        InsightKind(_T.APM_RECOMMENDATION, "APM recommendation", _ANY_ID, "/apm/recommendations?…"),
        InsightKind(
            _T.INSIGHT_SCORECARD_CAMPAIGN, "scorecard campaign", _UUID_ID, "/software/scorecards?activeTab=campaigns…"
        ),
        InsightKind(_T.RESOURCE_POLICY, "resource policy", _ANY_ID, "/infrastructure/…"),
        InsightKind(_T.PROFILING_DOWNSIZING_EXPERIMENT, "profiling experiment", _ANY_ID, "/profiling/…"),
        InsightKind(_T.SCM_URL, "source code link", _HTTPS_URL, "https://github.com/acme/shop/pull/7"),
    )
}


def kind_of(type_name: str) -> InsightKind | None:
    """The kind of a type as Datadog spells it; None for one that we don't know (they add types)."""
    try:
        return KINDS[InsightType(type_name)]
    except ValueError:
        return None


def readable_type(type_name: str, count: int = 1) -> str:
    """`monitor`, `monitors`; a type we don't know is shown in its own words."""
    kind = kind_of(type_name)
    if kind is not None:
        return kind.name if count == 1 else kind.plural
    return type_name.replace("_", " ").lower().strip() or "insight"


def type_summary(type_names: Iterable[str]) -> str:
    """`3 monitors, 1 incident`, the most frequent first; empty for nothing."""
    counts = Counter(type_names)
    return ", ".join(f"{count} {readable_type(name, count)}" for name, count in counts.most_common())


# -- drafts -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lookup:
    """What to ask Datadog for to learn a readable name."""

    kind: LookupKind
    id: str


@dataclass(frozen=True, slots=True)
class InsightDraft:
    """One insight that may be attached. Datadog tells insights apart by type and resource id."""

    type: InsightType
    resource_id: str
    ref: str  # path and query inside Datadog's app, without host; for source code the URL itself
    label: str
    lookup: Lookup | None = None

    @property
    def key(self) -> InsightKey:
        return (self.type.value, self.resource_id)

    @property
    def insight(self) -> Insight:
        return Insight(self.type.value, self.ref, self.resource_id)

    @property
    def handle(self) -> str:
        return handle_of(self.key)


def handle_of(key: InsightKey) -> str:
    """A short stand-in for the key, for places that hold few characters; also of types that we don't know."""
    return sha256("\0".join(key).encode("utf-8", "surrogatepass")).hexdigest()[:20]


def draft(type_: InsightType, resource_id: str, ref: str = "", lookup: Lookup | None = None) -> InsightDraft:
    """Without a ref the page that follows from the id."""
    kind = KINDS[type_]
    same = kind.same_id(resource_id)
    own = Lookup(kind.lookup, same) if kind.lookup else None
    return InsightDraft(type_, same, ref or default_ref(type_, same), _titled(kind.title, same), lookup or own)


def event_draft(event_id: str, monitor_id: str = "") -> InsightDraft:
    """An event known by its number; with its monitor it can be given a name."""
    lookup = Lookup(LookupKind.MONITOR, monitor_id) if monitor_id else None
    return draft(InsightType.EVENT, event_id, lookup=lookup)


def default_ref(type_: InsightType, resource_id: str) -> str:
    """The page of a resource where it follows from the id; empty where it doesn't."""
    if type_ is InsightType.SCM_URL:
        return resource_id
    by_uid = type_ is InsightType.EVENT and not resource_id.isdigit()
    page = "/event/explorer?event=" if by_uid else KINDS[type_].page
    return page and page + quote(resource_id, safe="")


def plain_label(type_name: str, resource_id: str) -> str:
    """What an insight is called while nobody knows its name: `Monitor 12345`."""
    kind = kind_of(type_name)
    title = kind.title if kind else readable_type(type_name).capitalize()
    return _titled(title, resource_id)


def _titled(title: str, resource_id: str) -> str:
    return f"{title} {resource_id.removeprefix('https://')}".strip()


class Reason(StrEnum):
    """Why a pasted piece became no draft."""

    NOT_A_LINK = "not_a_link"
    UNREADABLE = "unreadable"
    NOT_HTTPS = "not_https"
    FOREIGN_HOST = "foreign_host"
    OTHER_SITE = "other_site"
    OTHER_ORG = "other_org"
    SHORT_LINK = "short_link"
    NO_INSIGHT_TYPE = "no_insight_type"
    ID_NOT_IN_LINK = "id_not_in_link"


@dataclass(frozen=True, slots=True)
class SetAside:
    """A pasted piece that became no draft: why, whether a comment may carry it, and what "by hand" starts with."""

    url: str  # as pasted, untrusted; for NOT_A_LINK the words
    reason: Reason
    sentence: str
    comment_link: bool = False
    type: InsightType | None = None
    ref: str = ""


# -- their names, asked of Datadog in the background with a short deadline; never fails, never blocks a modal ---------


DEADLINE_SECONDS = 2.0
AT_ONCE = 5
LONGEST_LABEL = 200
_READ_INCIDENTS = "incident_read"
_INCIDENTS = "/api/v2/incidents"
_SEARCH = f"{_INCIDENTS}/search"  # not stable yet, says Datadog


class Incidents:
    def __init__(self, client: Datadog) -> None:
        self._client = client

    async def title(self, incident: str) -> str:
        """Of the one with this UUID, or this number in the app's URLs, which Datadog tells of only in a search."""
        if incident.isascii() and incident.isdigit():
            return await self._title_of_number(incident.lstrip("0"))
        path = f"{_INCIDENTS}/{segment(incident)}"
        answer = await self._client.call("GET", path, permission=_READ_INCIDENTS)
        if not isinstance(member(answer, "data"), dict):
            raise Unreadable("Datadog's answer holds no incident")
        return text(answer, "data", "attributes", "title")

    async def _title_of_number(self, number: str) -> str:
        query = {"query": f"public_id:{number}"}
        answer = await self._client.call("GET", _SEARCH, params=query, permission=_READ_INCIDENTS)
        for found in objects(answer, "data", "attributes", "incidents"):
            if text(found, "data", "attributes", "public_id") == number:
                return text(found, "data", "attributes", "title")
        raise NotFound("Datadog's search knows no incident of this number")


async def look_up_labels(
    drafts: Iterable[InsightDraft],
    *,
    monitors: Monitors,
    incidents: Incidents,
    seconds: float = DEADLINE_SECONDS,
    at_once: int = AT_ONCE,
) -> dict[InsightKey, str]:
    """The labels learnt within the deadline. Those of drafts missing here stay what they are."""
    wanted = {each: each.lookup for each in drafts if each.lookup}
    names = await _Names(monitors, incidents, at_once).learn(dict.fromkeys(wanted.values()), seconds)
    return {each.key: named(each, name) for each, lookup in wanted.items() if (name := names.get(lookup))}


def named(draft: InsightDraft, name: str) -> str:
    """The name before what it is; a monitor's own number says nothing more then."""
    what = "monitor" if draft.type is InsightType.MONITOR else f"{draft.label[:1].lower()}{draft.label[1:]}"
    room = max(LONGEST_LABEL // 2, LONGEST_LABEL - len(what) - 3)
    return f"{name[:room]} · {what}"[:LONGEST_LABEL]


class _Names:
    """One round of asking. A kind that Datadog won't tell us about is not asked for again in the round."""

    def __init__(self, monitors: Monitors, incidents: Incidents, at_once: int) -> None:
        self._monitors = monitors
        self._incidents = incidents
        self._turn = asyncio.Semaphore(at_once)
        self._pointless: set[LookupKind] = set()
        self._learnt: dict[Lookup, str] = {}

    async def learn(self, wanted: Iterable[Lookup], seconds: float) -> dict[Lookup, str]:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as asking:
                for lookup in wanted:
                    asking.create_task(self._ask(lookup))
        return self._learnt

    async def _ask(self, lookup: Lookup) -> None:
        async with self._turn:
            if lookup.kind in self._pointless:
                return
            try:
                if lookup.kind is LookupKind.MONITOR:
                    name = (await self._monitors.get(int(lookup.id))).name
                else:
                    name = await self._incidents.title(lookup.id)
                self._learnt[lookup] = " ".join(name.split())
            except (Unauthorized, Forbidden, RateLimited, NotSent):
                self._pointless.add(lookup.kind)
            except DatadogError:
                return
