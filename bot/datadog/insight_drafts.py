"""Drafts of insights, made from a type and an id, and what was pasted but can't become one. No links are read here."""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from urllib.parse import quote

from bot.datadog.case_model import Insight
from bot.datadog.insight_types import KINDS, InsightType, kind_of, readable_type

InsightKey = tuple[str, str]


class LookupKind(StrEnum):
    MONITOR = "monitor"
    INCIDENT = "incident"


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
    same = KINDS[type_].same_id(resource_id)
    own = Lookup(_LOOKUPS[type_], same) if type_ in _LOOKUPS else None
    return InsightDraft(type_, same, ref or default_ref(type_, same), plain_label(type_, same), lookup or own)


def event_draft(event_id: str, monitor_id: str = "") -> InsightDraft:
    """An event known by its number; with its monitor it can be given a name."""
    lookup = Lookup(LookupKind.MONITOR, monitor_id) if monitor_id else None
    return draft(InsightType.EVENT, event_id, lookup=lookup)


def default_ref(type_: InsightType, resource_id: str) -> str:
    """The page of a resource where it follows from the id; empty where it doesn't."""
    if type_ is InsightType.SCM_URL:
        return resource_id
    by_uid = type_ is InsightType.EVENT and not resource_id.isdigit()
    page = "/event/explorer?event=" if by_uid else _DEFAULT_PAGES.get(type_, "")
    return page and page + quote(resource_id, safe="")


_LOOKUPS = {InsightType.MONITOR: LookupKind.MONITOR, InsightType.INCIDENT: LookupKind.INCIDENT}
_DEFAULT_PAGES = {
    InsightType.MONITOR: "/monitors/",
    InsightType.EVENT: "/event/event?id=",
    InsightType.INCIDENT: "/incidents/",
    InsightType.SECURITY_SIGNAL: "/security/signal?event=",
    InsightType.ERROR_TRACKING: "/error-tracking?issueId=",
    InsightType.WATCHDOG_STORY: "/watchdog/story/",
}


def plain_label(type_name: str, resource_id: str) -> str:
    """What an insight is called while nobody knows its name: `Monitor 12345`."""
    kind = kind_of(type_name)
    title = kind.title if kind else readable_type(type_name).capitalize()
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


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field of the form, in a sentence to show under it."""

    field: str  # type | ref | resource_id
    problem: str
