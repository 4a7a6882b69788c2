"""Which page of Datadog's app is about which insight, and where its id stands. Pure; no host is judged here."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from bot.datadog.address import Address
from bot.datadog.insight_drafts import InsightDraft, Lookup, LookupKind, plain_label
from bot.datadog.insight_types import KINDS, InsightType

_T = InsightType


@dataclass(frozen=True, slots=True)
class MissingId:
    """The page shows this type, but its URL doesn't carry the id."""

    type: InsightType
    ref: str


@dataclass(frozen=True, slots=True)
class ShortLink:
    """Datadog's /s/ link: where it leads is known to Datadog only."""


@dataclass(frozen=True, slots=True)
class NoInsight:
    """A page of the app that no insight can stand for; `what` names it for people."""

    what: str


Reading = tuple[InsightDraft, ...] | MissingId | ShortLink | NoInsight


def read_page(page: Address) -> Reading:
    """What a page of Datadog's app is to a case."""
    for path, read in _READERS:
        if match := path.fullmatch(page.path):
            return read(page, match)
    return NoInsight(_page_name(page.path))


def draft(type_: InsightType, resource_id: str, ref: str, lookup: Lookup | None = None) -> InsightDraft:
    label = plain_label(type_.value, resource_id)
    return InsightDraft(type_, resource_id, ref, label, lookup or _own_lookup(type_, resource_id))


def _own_lookup(type_: InsightType, resource_id: str) -> Lookup | None:
    kind = {_T.MONITOR: LookupKind.MONITOR, _T.INCIDENT: LookupKind.INCIDENT}.get(type_)
    return Lookup(kind, resource_id) if kind else None


def event_draft(event_id: str, monitor_id: str = "") -> InsightDraft:
    """An event known by its number; with its monitor it can be given a name."""
    lookup = Lookup(LookupKind.MONITOR, monitor_id) if monitor_id else None
    return draft(_T.EVENT, event_id, default_ref(_T.EVENT, event_id), lookup)


def default_ref(type_: InsightType, resource_id: str) -> str:
    """The page of a resource where it follows from the id; empty where it doesn't."""
    quoted = quote(resource_id, safe="")
    if type_ is _T.EVENT:
        page = "/event/event?id=" if resource_id.isdigit() else "/event/explorer?event="
        return page + quoted
    if type_ is _T.SCM_URL:
        return resource_id
    return _DEFAULT_PAGES[type_] + quoted if type_ in _DEFAULT_PAGES else ""


_DEFAULT_PAGES = {
    _T.MONITOR: "/monitors/",
    _T.INCIDENT: "/incidents/",
    _T.SECURITY_SIGNAL: "/security/signal?event=",
    _T.ERROR_TRACKING: "/error-tracking?issueId=",
    _T.WATCHDOG_STORY: "/watchdog/story/",
}


def _monitor(page: Address, match: re.Match[str]) -> Reading:
    monitor_id = match["id"]
    ref = page.ref_without("event_id", path=f"/monitors/{monitor_id}")
    event_id = page.value("event_id", "link_event_id")
    found = draft(_T.MONITOR, monitor_id, ref)
    if event_id.isascii() and event_id.isdigit() and len(event_id) <= 20:
        return (found, event_draft(event_id, monitor_id))
    return (found,)


def _monitor_list(page: Address, _match: re.Match[str]) -> Reading:
    """Old links carry the id behind the hash: /monitors#123, /monitors#status/123, /monitors#status?id=123."""
    match = re.fullmatch(r"(?:\w+/|\w+\?(?:.*&)?id=)?(?P<id>[0-9]{1,20})(?:[/?&].*)?", page.fragment)
    return _monitor(page, match) if match else NoInsight("the list of monitors")


def _event(page: Address, _match: re.Match[str]) -> Reading:
    return _by_parameter(page, _T.EVENT, "event", "event_id", "id", "uid")


def _signal(page: Address, _match: re.Match[str]) -> Reading:
    return _by_parameter(page, _T.SECURITY_SIGNAL, "event")


def _by_parameter(page: Address, type_: InsightType, *names: str) -> Reading:
    form = KINDS[type_].id_form
    found = next((value for value in page.values(*names) if form.fits(value)), None)
    if found is None:
        return MissingId(type_, page.ref)
    return (draft(type_, found.lower() if type_ in _LETTER_CASE_MEANS_NOTHING else found, page.ref),)


def _incident(page: Address, match: re.Match[str]) -> Reading:
    found = match["id"].lower()
    return (draft(_T.INCIDENT, found, page.ref_without(path=f"/incidents/{found}")),)


def _issue(page: Address, match: re.Match[str]) -> Reading:
    return (draft(_T.ERROR_TRACKING, match["id"].lower(), page.ref),)


def _issue_parameter(page: Address, _match: re.Match[str]) -> Reading:
    return _by_parameter(page, _T.ERROR_TRACKING, "issueId")


def _story(page: Address, match: re.Match[str]) -> Reading:
    return (draft(_T.WATCHDOG_STORY, match["id"].lower(), page.ref),)


def _story_parameter(page: Address, _match: re.Match[str]) -> Reading:
    names = [name for name in (parameter.partition("=")[0] for parameter in page.parameters) if "story" in name.lower()]
    return _by_parameter(page, _T.WATCHDOG_STORY, *names)


def _dashboard(page: Address, _match: re.Match[str]) -> Reading:
    return _widget(page, "a dashboard without a widget opened", "fullscreen_widget", "tile_focus")


def _notebook(page: Address, _match: re.Match[str]) -> Reading:
    return _widget(page, "a notebook", "cell_id")


def _widget(page: Address, otherwise: str, *names: str) -> Reading:
    found = next((value for value in page.values(*names) if KINDS[_T.WIDGET].id_form.fits(value)), None)
    return (draft(_T.WIDGET, found, page.ref),) if found else NoInsight(otherwise)


def _scorecards(page: Address, _match: re.Match[str]) -> Reading:
    if page.value("activeTab").lower().startswith("campaign"):
        return MissingId(_T.INSIGHT_SCORECARD_CAMPAIGN, page.ref)
    return NoInsight("a scorecard")


def _without_id(type_: InsightType) -> "_Reader":
    return lambda page, _match: MissingId(type_, page.ref)


def _short(_page: Address, _match: re.Match[str]) -> Reading:
    return ShortLink()


_LETTER_CASE_MEANS_NOTHING = frozenset({_T.ERROR_TRACKING, _T.WATCHDOG_STORY})
_Reader = Callable[[Address, re.Match[str]], Reading]
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"

# The first that fits counts: pages of findings stand before those of signals, which share a prefix.
_READERS: tuple[tuple[re.Pattern[str], _Reader], ...] = tuple(
    (re.compile(path), read)
    for path, read in (
        (r"/s/.+", _short),
        (r"/monitors/(?:status/)?(?P<id>[0-9]{1,20})(?:/.*)?", _monitor),
        (r"/monitors(?:/.*)?", _monitor_list),
        (r"/event/(?:correlation|overview)(?:s?/.*|s?)", _without_id(_T.EVENT_CORRELATION)),
        (r"/event/(?:explorer|event|jump_to|stream)(?:/.*)?", _event),
        (rf"/incidents/(?P<id>[0-9]{{1,20}}|{_UUID})(?:/.*)?", _incident),
        (r"/incidents", _without_id(_T.INCIDENT)),
        (r"/security/(?:csm|compliance|identities|appsec/vm)(?:/.*)?", _without_id(_T.SECURITY_FINDING)),
        (r"/security(?:/.*)?", _signal),
        (rf"(?:/rum|/apm|/logs)?/error-tracking(?:/.*)?/issues?/(?P<id>{_UUID})(?:/.*)?", _issue),
        (r"(?:/rum|/apm|/logs)?/error-tracking(?:/.*)?", _issue_parameter),
        (r"/dash(?:board)?/[\w-]+(?:/.*)?", _dashboard),
        (r"/notebook/[0-9]+(?:/.*)?", _notebook),
        (r"(?:/apm)?/watchdog/story/(?P<id>[0-9a-fA-F]{32})", _story),
        (r"(?:/apm)?/watchdog(?:/.*)?", _story_parameter),
        (r"/cost/recommendations(?:/.*)?", _without_id(_T.CLOUD_COST_RECOMMENDATION)),
        (
            r"(?:/organization-settings)?/sensitive-data-scanner(?:/.*)?",
            _without_id(_T.SENSITIVE_DATA_SCANNER_ISSUE),
        ),
        (r"/apm/recommendations(?:/.*)?", _without_id(_T.APM_RECOMMENDATION)),
        (r"/software/scorecards(?:/.*)?", _scorecards),
        (r"/(?:.*/)?resource[-_]polic(?:y|ies)(?:/.*)?", _without_id(_T.RESOURCE_POLICY)),
        (r"/profiling(?:/.*)?", _without_id(_T.PROFILING_DOWNSIZING_EXPERIMENT)),
    )
)

_PAGE_NAMES = (
    ("/bits-ai", "an investigation"),
    ("/cases/", "a case"),
    ("/work/", "a case"),
    ("/logs", "a log search"),
    ("/apm/trace", "a trace"),
    ("/apm", "an APM page"),
    ("/slo", "an SLO"),
    ("/synthetics", "a synthetic test"),
    ("/on-call", "an on-call page"),
    ("/notebook", "a notebook"),
    ("/dash", "a dashboard"),
    ("/sb/", "a shared dashboard"),
    ("/metric", "a metric page"),
    ("/rum", "a RUM page"),
)


def _page_name(path: str) -> str:
    return next((name for start, name in _PAGE_NAMES if f"{path}/".startswith(start)), "this page")
