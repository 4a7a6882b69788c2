"""Pasted text in, drafts of insights out, and a reason for every piece that became none; and an insight typed by hand,
checked the same way. Pure: no calls, no clock."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.datadog.insight_drafts import FieldProblem, InsightDraft, InsightKey, Reason, SetAside, default_ref, draft
from bot.datadog.insight_pages import MissingId, PageContent, ShortLink, read_page
from bot.datadog.insight_types import KINDS, InsightKind, InsightType, kind_of
from bot.datadog.links import Link, Url, open_url, read_link, split_pasted
from bot.datadog.sites import Site
from bot.wording import DATADOG, INSIGHT

_SCM_HOSTS = frozenset({"github.com", "gitlab.com", "bitbucket.org"})
_LOOKS_LIKE_SCM = re.compile(r"(?:^|\.)(?:git|gitlab|github|bitbucket|gitea|ghe)\.")


@dataclass(frozen=True, slots=True)
class Recognised:
    """What pasted text holds, in the order pasted. Drafts are unique by type and resource id."""

    drafts: tuple[InsightDraft, ...] = ()
    set_aside: tuple[SetAside, ...] = ()


def recognise(text: str, *, site: Site, subdomain: str = "") -> Recognised:
    """Reads all of `text`. With an empty sub-domain any organisation's own one on this site is let through."""
    drafts: dict[InsightKey, InsightDraft] = {}
    set_aside: dict[SetAside, None] = {}
    for piece in split_pasted(text):
        found = read_url(piece.text, site=site, subdomain=subdomain) if piece.is_url else _leftover(piece.text)
        if isinstance(found, SetAside):
            set_aside.setdefault(found)
        else:
            for one in found:
                drafts.setdefault(one.key, one)
    return Recognised(tuple(drafts.values()), tuple(set_aside))


def read_url(url: str, *, site: Site, subdomain: str = "") -> tuple[InsightDraft, ...] | SetAside:
    """What one URL is to a case of the organisation at this site and sub-domain."""
    address = open_url(url)
    if address is None:
        return _unreadable(url)
    if address.host.removeprefix("www.") in _SCM_HOSTS:
        return _source_code(url, address)
    link = _our_page(url, address, site=site, subdomain=subdomain)
    return link if isinstance(link, SetAside) else _page(url, read_page(link))


def _our_page(url: str, address: Url, *, site: Site, subdomain: str = "") -> Link | SetAside:
    """The page of our organisation's app, or why the address is none."""
    link = read_link(address)
    return (_elsewhere(url, link, site, subdomain) or link) if link else _foreign(url, address)


def _leftover(words: str) -> SetAside:
    return SetAside(words, Reason.NOT_A_LINK, "This is no link. Paste links, or add the item by hand.")


def _unreadable(url: str) -> SetAside:
    if url[:7].lower() == "http://":
        return SetAside(
            url, Reason.NOT_HTTPS, "Only https:// links are taken. Copy the link again from the address bar."
        )
    return SetAside(url, Reason.UNREADABLE, "This link is damaged. Copy it again from the address bar.")


def _foreign(url: str, address: Url) -> SetAside:
    code = _LOOKS_LIKE_SCM.search(f"{address.host}.") is not None
    return SetAside(
        url,
        Reason.FOREIGN_HOST,
        f"{address.host[:80]} is not your {DATADOG}." + (" If it is source code, add it by hand." if code else ""),
        comment_link=True,
        type=InsightType.SCM_URL if code else None,
        ref=url if code else "",
    )


def _elsewhere(url: str, link: Link, site: Site, subdomain: str) -> SetAside | None:
    """Set aside what belongs to another Datadog site or organisation: its ids mean something else here."""
    if link.site != site:
        sentence = f"This link is from {DATADOG} {link.site.region}; your organisation is on {site.region}."
        return SetAside(url, Reason.OTHER_SITE, sentence, comment_link=True)
    theirs = link.subdomain
    if theirs and subdomain and theirs != subdomain.lower():
        sentence = f"This link is from another {DATADOG} organisation ({theirs[:80]})."
        return SetAside(url, Reason.OTHER_ORG, sentence, comment_link=True)
    return None


def _page(url: str, found: PageContent) -> tuple[InsightDraft, ...] | SetAside:
    if isinstance(found, tuple):
        return found
    if isinstance(found, MissingId):
        kind = KINDS[found.type]
        sentence = f"This page is about {kind.one}, but the link does not say which. Add it by hand with its id."
        return SetAside(url, Reason.ID_NOT_IN_LINK, sentence, comment_link=True, type=found.type, ref=found.ref)
    if isinstance(found, ShortLink):
        sentence = "A short link does not say what it leads to. Open it and paste the long link from the address bar."
        return SetAside(url, Reason.SHORT_LINK, sentence, comment_link=True)
    sentence = f"{DATADOG} has no {INSIGHT} for {found.what}. It can go into a comment instead."
    return SetAside(url, Reason.NO_INSIGHT_TYPE, sentence, comment_link=True)


def _source_code(url: str, address: Url) -> tuple[InsightDraft, ...] | SetAside:
    if address.path.count("/") < 2:
        sentence = "This link names no repository. Paste the link of a pull request, commit or file."
        return SetAside(url, Reason.NO_INSIGHT_TYPE, sentence, comment_link=True)
    whole = _canonical_url(address)
    if not KINDS[InsightType.SCM_URL].id_form.fits(whole):
        return SetAside(url, Reason.UNREADABLE, "This link is too long. Paste a shorter one to the same page.")
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


def by_hand(
    type_name: str, ref: str, resource_id: str, *, site: Site, subdomain: str = ""
) -> InsightDraft | tuple[FieldProblem, ...]:
    """The insight as typed, or every problem of the form at once.

    The ref may be a whole URL, or be left out where it follows from the id; so may the id where it stands in the ref.
    """
    kind = kind_of(type_name.strip())
    ref, resource_id = ref.strip(), resource_id.strip()
    if kind is None:
        return (FieldProblem("type", f"Choose what kind of {INSIGHT} it is."),)
    if kind.type is InsightType.SCM_URL:
        return _source_code_by_hand(ref or resource_id)
    page = _typed_page(kind, f"{site.app_url}{ref}" if ref.startswith("/") else ref, site, subdomain)
    found_id = kind.same_id(resource_id) or (page.insight.resource_id if page.insight else "")
    found_ref = page.ref or default_ref(kind.type, found_id)
    return tuple(_problems(kind, page, found_id, found_ref)) or draft(kind.type, found_id, found_ref)


def _source_code_by_hand(url: str) -> InsightDraft | tuple[FieldProblem, ...]:
    address = open_url(url)
    whole = _canonical_url(address) if address else ""
    if not KINDS[InsightType.SCM_URL].id_form.fits(whole):
        return (FieldProblem("ref", "Paste the whole https:// URL of the pull request, commit or file."),)
    return draft(InsightType.SCM_URL, whole, whole)


def _typed_page(kind: InsightKind, url: str, site: Site, subdomain: str) -> _TypedPage:
    if not url:
        return _TypedPage()
    address = open_url(url)
    if address is None:
        return _TypedPage(problem=f"Give the page as path or whole link, like {kind.ref_hint}.")
    link = _our_page(url, address, site=site, subdomain=subdomain)
    if isinstance(link, SetAside):
        return _TypedPage(problem=link.sentence)
    content = read_page(link)
    shown = content if isinstance(content, tuple) else ()
    insight = next((each for each in shown if each.type is kind.type), None)
    return _TypedPage(insight.ref if insight else address.ref(), insight)


def _problems(kind: InsightKind, page: _TypedPage, resource_id: str, ref: str) -> Iterator[FieldProblem]:
    if not kind.id_form.fits(resource_id):
        yield FieldProblem("resource_id", f"The id of {kind.one} is {kind.id_form.hint}.")
    elif page.insight and page.insight.resource_id != resource_id:
        yield FieldProblem("resource_id", f"The page is {page.insight.label}. Correct the id or the page.")
    if page.problem:
        yield FieldProblem("ref", page.problem)
    elif not ref:
        yield FieldProblem("ref", f"Give the page where {DATADOG} shows it, like {kind.ref_hint}.")
