"""Which case a person means: a key, a UUID, a link, or words to search for. Pure."""

import re
from dataclasses import dataclass

from bot.datadog.cases import quoted
from bot.datadog.links import CaseLink, parse_link, split_pasted
from bot.datadog.sites import Site

_KEY = re.compile(r"#?(?P<key>[A-Za-z][A-Za-z0-9]{0,31}-[0-9]{1,18})", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LONGEST_QUERY = 200


@dataclass(frozen=True, slots=True)
class CaseMatch:
    """A case named beyond doubt; Datadog's calls take the identifier as it is."""

    identifier: str

    @property
    def is_key(self) -> bool:
        return _KEY.fullmatch(self.identifier) is not None


@dataclass(frozen=True, slots=True)
class CaseSearch:
    """What to ask Datadog for: the exact case first where one is named, then a search."""

    exact: CaseMatch | None
    query: str  # in Datadog's syntax; empty for no search


def match_case(text: str, *, site: Site | None = None, subdomain: str = "") -> CaseMatch | None:
    """The case that the text names and names only. A link of another site or organisation names none of ours."""
    pieces = tuple(split_pasted(text))
    if len(pieces) != 1:
        return None
    if pieces[0].is_url:
        return _linked(pieces[0].text, site, subdomain)
    if key := _KEY.fullmatch(pieces[0].text):
        return CaseMatch(key["key"].upper())
    return CaseMatch(pieces[0].text.lower()) if _UUID.fullmatch(pieces[0].text) else None


def _linked(url: str, site: Site | None, subdomain: str) -> CaseMatch | None:
    link = parse_link(url)
    if not isinstance(link, CaseLink) or (site and link.site != site):
        return None
    if link.subdomain and subdomain and link.subdomain != subdomain.lower():
        return None
    named = link.key_or_id
    return CaseMatch(named.lower() if _UUID.fullmatch(named) else named.upper())


def search_for(text: str, *, site: Site | None = None, subdomain: str = "") -> CaseSearch:
    """How to find what somebody typed into the case picker."""
    exact = match_case(text, site=site, subdomain=subdomain)
    if exact and not exact.is_key:
        return CaseSearch(exact, "")
    text = exact.identifier if exact and "/" in text else text
    words = " ".join(re.sub(r"[\x00-\x1f\x7f]+", " ", text).split())[:_LONGEST_QUERY]
    query = quoted(words)
    return CaseSearch(exact, "" if query == '""' else query)
