"""What a new case is opened from: the alert, or the signal, incident or other resource of Datadog, that a message shows. Pure.

Whatever a message says is untrusted, its links too: they count once the organisation is known that they have to belong to.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.cases.model import CaseSource
from bot.datadog.cases import SECURITY_TYPE, Insight
from bot.datadog.insight_recognition import UrlContent, by_hand, read_page, read_url
from bot.datadog.insights import InsightDraft, InsightType, SetAside
from bot.datadog.links import Location, find_links
from bot.investigations.message_alerts import find_alert, message_text, texts_of
from bot.slack.text import one_line, unescape

_SECURITY = frozenset(
    {InsightType.SECURITY_SIGNAL, InsightType.SECURITY_FINDING, InsightType.SENSITIVE_DATA_SCANNER_ISSUE}
)
# What a case is opened about; other pages in a message (a dashboard, a monitor) are only mentioned in it.
_SUBJECTS = _SECURITY | {
    InsightType.ERROR_TRACKING,
    InsightType.WATCHDOG_STORY,
    InsightType.CLOUD_COST_RECOMMENDATION,
    InsightType.EVENT,
    InsightType.INCIDENT,
}
_MOST_LINKS = 10
_LABELLED = re.compile(r"<(https://[^<>|\s]+)\|([^<>]+)>")
_BARE = re.compile(r"<?https?://[^<>|\s]+>?")


def source_of(message: Mapping[str, Any]) -> CaseSource:
    """What a message is about. A test notification's ids may belong to nothing, so only its words count."""
    found, words = find_alert(message), message_text(message)
    links = tuple(_subject_links(message)) if found is None or not found.test else ()
    title = (found.title if found else _title_of(message, links)) or _without_links(words.split("\n", 1)[0])
    alert = found.subject if found and not found.test else None
    return CaseSource(alert=alert, title=title, words=words, links=links)


def linked(source: CaseSource, home: Location) -> tuple[InsightDraft, ...]:
    """What the message's links name, to be attached: nothing of another organisation."""
    drafts = [draft for content in _contents(source, home) if not isinstance(content, SetAside) for draft in content]
    return tuple({each.key: each for each in drafts if each.type in _SUBJECTS}.values())


def unnamed(source: CaseSource, home: Location) -> SetAside | None:
    """The first page whose link does not say which resource it shows: its id is asked for."""
    return next((each for each in _contents(source, home) if isinstance(each, SetAside) and _is_subject(each)), None)


def named_by_hand(source: CaseSource, resource_id: str, home: Location) -> Insight | str | None:
    """The resource of a page that did not name it, once its id is typed; or what is wrong with that id."""
    page = unnamed(source, home)
    if page is None or page.type is None or not resource_id:
        return None
    made = by_hand(page.type, page.ref, resource_id, home)
    return made.insight if isinstance(made, InsightDraft) else next(iter(made.values()))


def proposed_type(source: CaseSource, home: Location) -> str:
    """The id of the case type that goes with it; empty where any will do."""
    page = unnamed(source, home)
    kinds = {each.type for each in linked(source, home)} | ({page.type} if page else set())
    return SECURITY_TYPE if kinds & _SECURITY else ""


def link_host(source: CaseSource) -> str:
    """Which organisation is meant; empty where the links do not agree."""
    hosts = {link.host for url in source.links for link in find_links(url)}
    return hosts.pop() if len(hosts) == 1 else ""


def _contents(source: CaseSource, home: Location) -> Iterator[UrlContent]:
    return (read_url(url, home) for url in source.links)


def _is_subject(page: SetAside) -> bool:
    return page.type in _SUBJECTS


def _subject_links(message: Mapping[str, Any]) -> Iterator[str]:
    links = {link.url: link for text in texts_of(message) for link in find_links(text)}
    for url, link in list(links.items())[: _MOST_LINKS * 5]:
        content = read_page(link)
        shown = {content.type} if isinstance(content, SetAside) else {each.type for each in content}
        if shown & _SUBJECTS and InsightType.MONITOR not in shown:
            yield url


def _title_of(message: Mapping[str, Any], links: tuple[str, ...]) -> str:
    """What the message calls the resource it links: the title of its attachment, or the words of the link."""
    attachments = message.get("attachments")
    for attachment in attachments if isinstance(attachments, list) else []:
        told = attachment if isinstance(attachment, dict) else {}
        if any(link.url in links for link in find_links(str(told.get("title_link") or told.get("from_url") or ""))):
            return one_line(unescape(str(told.get("title") or "")), 200)
    for text in texts_of(message):
        for url, label in _LABELLED.findall(text):
            if any(link.url in links for link in find_links(url)) and "://" not in label:
                return one_line(unescape(label), 200)
    return ""


def _without_links(words: str) -> str:
    """A line of words, to be a title: an address says nothing to a reader."""
    return one_line(_BARE.sub(" ", words), 200)
