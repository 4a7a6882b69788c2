"""Pasted text in, drafts of insights out, and a reason for every piece that became none. Pure: no calls, no clock."""

import re
from dataclasses import dataclass

from bot.datadog.address import Address, open_url, split_pasted
from bot.datadog.insight_drafts import InsightDraft, InsightKey, Reason, SetAside
from bot.datadog.insight_pages import MissingId, Reading, ShortLink, draft, read_page
from bot.datadog.insight_types import KINDS, InsightType
from bot.datadog.links import is_datadog_url
from bot.datadog.sites import Location, Site, locate
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
    return outside_our_app(url, address, site=site, subdomain=subdomain) or _page(url, read_page(address))


def outside_our_app(url: str, address: Address, *, site: Site, subdomain: str = "") -> SetAside | None:
    """Why an address is no page of our organisation's app; None if it is one."""
    location = locate(address.host)
    if location is None or not is_datadog_url(f"https://{address.host}/"):
        return _foreign(url, address)
    return _elsewhere(url, location, site, subdomain)


def _leftover(words: str) -> SetAside:
    return SetAside(words, Reason.NOT_A_LINK, "This is no link. Paste links, or add the item by hand.")


def _unreadable(url: str) -> SetAside:
    if url[:7].lower() == "http://":
        return SetAside(
            url, Reason.NOT_HTTPS, "Only https:// links are taken. Copy the link again from the address bar."
        )
    return SetAside(url, Reason.UNREADABLE, "This link is damaged. Copy it again from the address bar.")


def _foreign(url: str, address: Address) -> SetAside:
    code = _LOOKS_LIKE_SCM.search(f"{address.host}.") is not None
    return SetAside(
        url,
        Reason.FOREIGN_HOST,
        f"{address.host[:80]} is not your {DATADOG}." + (" If it is source code, add it by hand." if code else ""),
        comment_link=True,
        type=InsightType.SCM_URL if code else None,
        ref=url if code else "",
    )


def _elsewhere(url: str, location: Location, site: Site, subdomain: str) -> SetAside | None:
    """Set aside what belongs to another Datadog site or organisation: its ids mean something else here."""
    if location.site != site:
        sentence = f"This link is from {DATADOG} {location.site.region}; your organisation is on {site.region}."
        return SetAside(url, Reason.OTHER_SITE, sentence, comment_link=True)
    theirs = location.subdomain
    if theirs and subdomain and theirs != subdomain.lower():
        sentence = f"This link is from another {DATADOG} organisation ({theirs[:80]})."
        return SetAside(url, Reason.OTHER_ORG, sentence, comment_link=True)
    return None


def _page(url: str, reading: Reading) -> tuple[InsightDraft, ...] | SetAside:
    if isinstance(reading, tuple):
        return reading
    if isinstance(reading, MissingId):
        kind = KINDS[reading.type]
        sentence = f"This page is about {kind.one}, but the link does not say which. Add it by hand with its id."
        return SetAside(url, Reason.ID_NOT_IN_LINK, sentence, comment_link=True, type=reading.type, ref=reading.ref)
    if isinstance(reading, ShortLink):
        sentence = "A short link does not say what it leads to. Open it and paste the long link from the address bar."
        return SetAside(url, Reason.SHORT_LINK, sentence, comment_link=True)
    sentence = f"{DATADOG} has no {INSIGHT} for {reading.what}. It can go into a comment instead."
    return SetAside(url, Reason.NO_INSIGHT_TYPE, sentence, comment_link=True)


def _source_code(url: str, address: Address) -> tuple[InsightDraft, ...] | SetAside:
    if address.path.count("/") < 2:
        sentence = "This link names no repository. Paste the link of a pull request, commit or file."
        return SetAside(url, Reason.NO_INSIGHT_TYPE, sentence, comment_link=True)
    whole = canonical_url(address)
    if not KINDS[InsightType.SCM_URL].id_form.fits(whole):
        return SetAside(url, Reason.UNREADABLE, "This link is too long. Paste a shorter one to the same page.")
    return (draft(InsightType.SCM_URL, whole, whole),)


def canonical_url(address: Address) -> str:
    """One spelling of a URL outside Datadog, without tracking; its fragment points into the page and stays."""
    kept = [parameter for parameter in address.parameters if not parameter.lower().startswith("utm_")]
    query = "?" + "&".join(kept) if kept else ""
    fragment = f"#{address.fragment}" if address.fragment else ""
    bare = address.host.removeprefix("www.")
    host = bare if bare in _SCM_HOSTS else address.host
    return f"https://{host}{address.path}{query}{fragment}"
