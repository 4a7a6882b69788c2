"""Pasted text in, drafts of insights out, and a reason for every piece that became none; an insight typed by hand, checked
the same way; and which page of Datadog's app is about which insight. Pure: no calls, no clock."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bot.datadog.insights import (
    KINDS,
    InsightDraft,
    InsightKey,
    InsightKind,
    InsightType,
    Reason,
    SetAside,
    default_ref,
    draft,
    event_draft,
    kind_of,
)
from bot.datadog.links import UUID, EventLink, Link, Location, MonitorLink, Url, open_url, read_link, split_pasted
from bot.wording import DATADOG, INSIGHT

_T = InsightType
_SCM_HOSTS = frozenset({"github.com", "gitlab.com", "bitbucket.org"})
_LOOKS_LIKE_SCM = re.compile(r"(?:^|\.)(?:git|gitlab|github|bitbucket|gitea|ghe)\.")

_NO_LINK = "This is no link. Paste links, or add the item by hand."

UrlContent = tuple[InsightDraft, ...] | SetAside


@dataclass(frozen=True, slots=True)
class Recognised:
    """What pasted text holds, in the order pasted. Drafts are unique by type and resource id."""

    drafts: tuple[InsightDraft, ...] = ()
    set_aside: tuple[SetAside, ...] = ()


def recognise(text: str, home: Location) -> Recognised:
    """Reads all of `text`. Where `home` has no sub-domain, any organisation's own one on its site is let through."""
    drafts: dict[InsightKey, InsightDraft] = {}
    set_aside: dict[SetAside, None] = {}
    for piece in split_pasted(text):
        found = read_url(piece.text, home) if piece.is_url else SetAside(piece.text, Reason.NOT_A_LINK, _NO_LINK)
        if isinstance(found, SetAside):
            set_aside.setdefault(found)
        else:
            for one in found:
                drafts.setdefault(one.key, one)
    return Recognised(tuple(drafts.values()), tuple(set_aside))


def read_url(url: str, home: Location) -> UrlContent:
    """What one URL is to a case of the organisation at home there."""
    address = open_url(url)
    if address is None:
        return _unreadable(url)
    if address.host.removeprefix("www.") in _SCM_HOSTS:
        return _source_code(address)
    link = _our_page(address, home)
    return link if isinstance(link, SetAside) else read_page(link)


def _our_page(address: Url, home: Location) -> Link | SetAside:
    """The page of our organisation's app, or why the address is none: ids of another one mean something else here."""
    link = read_link(address)
    if link is None:
        return _foreign(address)
    if link.may_be_of(home):
        return link
    if link.site != home.site:
        sentence = f"This link is from {DATADOG} {link.site.region}; your organisation is on {home.site.region}."
        return SetAside(link.url, Reason.OTHER_SITE, sentence, comment_link=True)
    sentence = f"This link is from another {DATADOG} organisation ({link.subdomain[:80]})."
    return SetAside(link.url, Reason.OTHER_ORG, sentence, comment_link=True)


def _unreadable(url: str) -> SetAside:
    if url[:7].lower() == "http://":
        sentence = "Only https:// links are taken. Copy the link again from the address bar."
        return SetAside(url, Reason.NOT_HTTPS, sentence)
    return SetAside(url, Reason.UNREADABLE, "This link is damaged. Copy it again from the address bar.")


def _foreign(address: Url) -> SetAside:
    code = _LOOKS_LIKE_SCM.search(f"{address.host}.") is not None
    return SetAside(
        address.text,
        Reason.FOREIGN_HOST,
        f"{address.host[:80]} is not your {DATADOG}." + (" If it is source code, add it by hand." if code else ""),
        comment_link=True,
        type=InsightType.SCM_URL if code else None,
        ref=address.text if code else "",
    )


def _source_code(address: Url) -> UrlContent:
    if address.path.count("/") < 2:
        sentence = "This link names no repository. Paste the link of a pull request, commit or file."
        return SetAside(address.text, Reason.NO_INSIGHT_TYPE, sentence, comment_link=True)
    whole = _canonical_url(address)
    if not KINDS[InsightType.SCM_URL].id_form.fits(whole):
        sentence = "This link is too long. Paste a shorter one to the same page."
        return SetAside(address.text, Reason.UNREADABLE, sentence)
    return (draft(InsightType.SCM_URL, whole, whole),)


def _canonical_url(address: Url) -> str:
    """One spelling of a URL outside Datadog, without tracking; its fragment points into the page and stays."""
    kept = [parameter for parameter in address.parameters if not parameter.lower().startswith("utm_")]
    query = "?" + "&".join(kept) if kept else ""
    fragment = f"#{address.fragment}" if address.fragment else ""
    bare = address.host.removeprefix("www.")
    host = bare if bare in _SCM_HOSTS else address.host
    return f"https://{host}{address.path}{query}{fragment}"


# -- insights whose id stands in no link ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _TypedPage:
    """The page as typed: its ref, and the insight of the chosen type that it shows; or what is wrong with it."""

    ref: str = ""
    insight: InsightDraft | None = None
    problem: str = ""


def by_hand(type_name: str, ref: str, resource_id: str, home: Location) -> InsightDraft | dict[str, str]:
    """The insight as typed, or every problem of the form at once: by its field (type, ref, resource_id), as a sentence.

    The ref may be a whole URL, or be left out where it follows from the id; so may the id where it stands in the ref.
    """
    kind = kind_of(type_name.strip())
    ref, resource_id = ref.strip(), resource_id.strip()
    if kind is None:
        return {"type": f"Choose what kind of {INSIGHT} it is."}
    if kind.type is InsightType.SCM_URL:
        return _source_code_by_hand(ref or resource_id)
    page = _typed_page(kind, f"{home.site.app_url}{ref}" if ref.startswith("/") else ref, home)
    found_id = kind.same_id(resource_id) or (page.insight.resource_id if page.insight else "")
    found_ref = page.ref or default_ref(kind.type, found_id)
    return dict(_problems(kind, page, found_id, found_ref)) or draft(kind.type, found_id, found_ref)


def _source_code_by_hand(url: str) -> InsightDraft | dict[str, str]:
    address = open_url(url)
    whole = _canonical_url(address) if address else ""
    if not KINDS[InsightType.SCM_URL].id_form.fits(whole):
        return {"ref": "Paste the whole https:// URL of the pull request, commit or file."}
    return draft(InsightType.SCM_URL, whole, whole)


def _typed_page(kind: InsightKind, url: str, home: Location) -> _TypedPage:
    if not url:
        return _TypedPage()
    address = open_url(url)
    if address is None:
        return _TypedPage(problem=f"Give the page as path or whole link, like {kind.ref_hint}.")
    link = _our_page(address, home)
    if isinstance(link, SetAside):
        return _TypedPage(problem=link.sentence)
    content = read_page(link)
    shown = () if isinstance(content, SetAside) else content
    insight = next((each for each in shown if each.type is kind.type), None)
    return _TypedPage(insight.ref if insight else address.ref(), insight)


def _problems(kind: InsightKind, page: _TypedPage, resource_id: str, ref: str) -> Iterator[tuple[str, str]]:
    if not kind.id_form.fits(resource_id):
        yield "resource_id", f"The id of {kind.one} is {kind.id_form.hint}."
    elif page.insight and page.insight.resource_id != resource_id:
        yield "resource_id", f"The page is {page.insight.label}. Correct the id or the page."
    if page.problem:
        yield "ref", page.problem
    elif not ref:
        yield "ref", f"Give the page where {DATADOG} shows it, like {kind.ref_hint}."


# -- pages of Datadog's app ----------------------------------------------------------------------------------------------


def read_page(link: Link) -> UrlContent:
    """What a page of Datadog's app is to a case."""
    if isinstance(link, MonitorLink):
        return _monitor(link)
    page = link.address
    if isinstance(link, EventLink):
        return (draft(_T.EVENT, link.event_id or link.uid, page.ref()),)
    for path, read in _READERS:
        if match := path.fullmatch(page.path):
            return read(page, match)
    what = next((name for start, name in _PAGE_NAMES if f"{page.path}/".startswith(start)), "this page")
    return _no_insight(page, what)


def _missing_id(page: Url, type_: InsightType) -> SetAside:
    """The page shows this type, but its URL doesn't carry the id."""
    sentence = f"This page is about {KINDS[type_].one}, but the link does not say which. Add it by hand with its id."
    return SetAside(page.text, Reason.ID_NOT_IN_LINK, sentence, comment_link=True, type=type_, ref=page.ref())


def _no_insight(page: Url, what: str) -> SetAside:
    """A page that no insight can stand for; `what` names it for people."""
    sentence = f"{DATADOG} has no {INSIGHT} for {what}. It can go into a comment instead."
    return SetAside(page.text, Reason.NO_INSIGHT_TYPE, sentence, comment_link=True)


def _short(page: Url, _match: re.Match[str]) -> SetAside:
    """Where it leads is known to Datadog only."""
    sentence = "A short link does not say what it leads to. Open it and paste the long link from the address bar."
    return SetAside(page.text, Reason.SHORT_LINK, sentence, comment_link=True)


def _monitor(link: MonitorLink) -> UrlContent:
    monitor_id = str(link.monitor_id)
    monitor = draft(_T.MONITOR, monitor_id, link.address.ref("event_id", path=f"/monitors/{monitor_id}"))
    return (monitor, event_draft(link.event_id, monitor_id)) if link.event_id else (monitor,)


_Reader = Callable[[Url, re.Match[str]], UrlContent]


def _id_in_path(type_: InsightType) -> _Reader:
    return lambda page, match: (draft(type_, match["id"], page.ref()),)


def _id_in_query(type_: InsightType, *names: str, otherwise: str = "") -> _Reader:
    """In one of these parameters; `otherwise` is what the page is called that has no such insight open."""

    def read(page: Url, _match: re.Match[str]) -> UrlContent:
        fits = KINDS[type_].id_form.fits
        if found := next(filter(fits, page.ids(*names)), ""):
            return (draft(type_, found, page.ref()),)
        return _no_insight(page, otherwise) if otherwise else _missing_id(page, type_)

    return read


def _without_id(type_: InsightType) -> _Reader:
    return lambda page, _match: _missing_id(page, type_)


def _story(page: Url, match: re.Match[str]) -> UrlContent:
    names = (name for name in page.query if "story" in name.lower())
    return _id_in_query(_T.WATCHDOG_STORY, *names)(page, match)


def _scorecards(page: Url, _match: re.Match[str]) -> UrlContent:
    if page.query.get("activeTab", "").lower().startswith("campaign"):
        return _missing_id(page, _T.INSIGHT_SCORECARD_CAMPAIGN)
    return _no_insight(page, "a scorecard")


# The first that fits counts: pages of findings stand before those of signals, which share a prefix.
_READERS: tuple[tuple[re.Pattern[str], _Reader], ...] = tuple(
    (re.compile(path), read)
    for path, read in (
        (r"/s/.+", _short),
        (r"/monitors(?:/.*)?", lambda page, _match: _no_insight(page, "the list of monitors")),
        (r"/event/(?:correlation|overview)(?:s?/.*|s?)", _without_id(_T.EVENT_CORRELATION)),
        (r"/event/(?:explorer|event|jump_to|stream)(?:/.*)?", _without_id(_T.EVENT)),
        (
            rf"/incidents/(?P<id>[0-9]{{1,20}}|{UUID})(?:/.*)?",
            lambda page, match: (draft(_T.INCIDENT, match["id"], page.ref(path=f"/incidents/{match['id'].lower()}")),),
        ),
        (r"/incidents", _without_id(_T.INCIDENT)),
        (r"/security/(?:csm|compliance|identities|appsec/vm)(?:/.*)?", _without_id(_T.SECURITY_FINDING)),
        (r"/security(?:/.*)?", _id_in_query(_T.SECURITY_SIGNAL, "event")),
        (
            rf"(?:/rum|/apm|/logs)?/error-tracking(?:/.*)?/issues?/(?P<id>{UUID})(?:/.*)?",
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
        (r"(?:/organization-settings)?/sensitive-data-scanner(?:/.*)?", _without_id(_T.SENSITIVE_DATA_SCANNER_ISSUE)),
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
