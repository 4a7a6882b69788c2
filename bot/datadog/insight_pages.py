"""Which page of Datadog's app is about which insight, and where its id stands. No organisation is told apart here."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.datadog.insight_drafts import InsightDraft, draft, event_draft
from bot.datadog.insight_types import KINDS, InsightType
from bot.datadog.links import EventLink, Link, MonitorLink, Url

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


PageContent = tuple[InsightDraft, ...] | MissingId | ShortLink | NoInsight


def read_page(link: Link) -> PageContent:
    """What a page of Datadog's app is to a case."""
    if isinstance(link, MonitorLink):
        return _monitor(link)
    page = link.address
    if isinstance(link, EventLink):
        return (draft(_T.EVENT, link.event_id or link.uid, page.ref()),)
    for path, read in _READERS:
        if match := path.fullmatch(page.path):
            return read(page, match)
    return NoInsight(next((name for start, name in _PAGE_NAMES if f"{page.path}/".startswith(start)), "this page"))


def _monitor(link: MonitorLink) -> PageContent:
    monitor_id = str(link.monitor_id)
    monitor = draft(_T.MONITOR, monitor_id, link.address.ref("event_id", path=f"/monitors/{monitor_id}"))
    return (monitor, event_draft(link.event_id, monitor_id)) if link.event_id else (monitor,)


_Reader = Callable[[Url, re.Match[str]], PageContent]


def _id_in_path(type_: InsightType) -> _Reader:
    return lambda page, match: (draft(type_, match["id"], page.ref()),)


def _id_in_query(type_: InsightType, *names: str, otherwise: str = "") -> _Reader:
    """In one of these parameters; `otherwise` is what the page is called that has no such insight open."""

    def read(page: Url, _match: re.Match[str]) -> PageContent:
        fits = KINDS[type_].id_form.fits
        if found := next(filter(fits, page.ids(*names)), ""):
            return (draft(type_, found, page.ref()),)
        return NoInsight(otherwise) if otherwise else MissingId(type_, page.ref())

    return read


def _without_id(type_: InsightType) -> _Reader:
    return lambda page, _match: MissingId(type_, page.ref())


def _not_attachable(what: str) -> _Reader:
    return lambda _page, _match: NoInsight(what)


def _incident(page: Url, match: re.Match[str]) -> PageContent:
    return (draft(_T.INCIDENT, match["id"], page.ref(path=f"/incidents/{match['id'].lower()}")),)


def _story(page: Url, match: re.Match[str]) -> PageContent:
    names = (name for name in page.query if "story" in name.lower())
    return _id_in_query(_T.WATCHDOG_STORY, *names)(page, match)


def _scorecards(page: Url, _match: re.Match[str]) -> PageContent:
    if page.query.get("activeTab", "").lower().startswith("campaign"):
        return MissingId(_T.INSIGHT_SCORECARD_CAMPAIGN, page.ref())
    return NoInsight("a scorecard")


def _short(_page: Url, _match: re.Match[str]) -> PageContent:
    return ShortLink()


_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"

# The first that fits counts: pages of findings stand before those of signals, which share a prefix.
_READERS: tuple[tuple[re.Pattern[str], _Reader], ...] = tuple(
    (re.compile(path), read)
    for path, read in (
        (r"/s/.+", _short),
        (r"/monitors(?:/.*)?", _not_attachable("the list of monitors")),
        (r"/event/(?:correlation|overview)(?:s?/.*|s?)", _without_id(_T.EVENT_CORRELATION)),
        (r"/event/(?:explorer|event|jump_to|stream)(?:/.*)?", _without_id(_T.EVENT)),
        (rf"/incidents/(?P<id>[0-9]{{1,20}}|{_UUID})(?:/.*)?", _incident),
        (r"/incidents", _without_id(_T.INCIDENT)),
        (r"/security/(?:csm|compliance|identities|appsec/vm)(?:/.*)?", _without_id(_T.SECURITY_FINDING)),
        (r"/security(?:/.*)?", _id_in_query(_T.SECURITY_SIGNAL, "event")),
        (
            rf"(?:/rum|/apm|/logs)?/error-tracking(?:/.*)?/issues?/(?P<id>{_UUID})(?:/.*)?",
            _id_in_path(_T.ERROR_TRACKING),
        ),
        (r"(?:/rum|/apm|/logs)?/error-tracking(?:/.*)?", _id_in_query(_T.ERROR_TRACKING, "issueId")),
        (
            r"/dash(?:board)?/[\w-]+(?:/.*)?",
            _id_in_query(_T.WIDGET, "fullscreen_widget", "tile_focus", otherwise="a dashboard without a widget opened"),
        ),
        (r"/notebook/[0-9]+(?:/.*)?", _id_in_query(_T.WIDGET, "cell_id", otherwise="a notebook")),
        (r"(?:/apm)?/watchdog/story/(?P<id>[0-9a-fA-F]{32})", _id_in_path(_T.WATCHDOG_STORY)),
        (r"(?:/apm)?/watchdog(?:/.*)?", _story),
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
