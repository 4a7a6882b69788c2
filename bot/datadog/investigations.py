"""Bits AI investigations as Datadog's API has them: trigger, list, get. When to ask and what it means is the heart's."""

import re
from dataclasses import dataclass
from enum import StrEnum

from bot.datadog.client import Datadog, JsonObject, member, objects, segment, text, whole
from bot.datadog.errors import Unreadable
from bot.datadog.links import is_datadog_url

READ = "bits_investigations_read"
WRITE = "bits_investigations_write"
LONGEST_QUESTION = 4096  # characters of a general investigation's description
PAGE_SIZE = 100
MOST_PAGES = 10
_PATH = "/api/v2/bits-ai/investigations"


@dataclass(frozen=True, slots=True)
class Conclusion:
    title: str
    summary: str
    description: str  # Markdown, several KB


@dataclass(frozen=True, slots=True)
class InvestigationItem:
    id: str
    title: str
    status: str


@dataclass(frozen=True, slots=True)
class InvestigationDetail:
    id: str
    title: str
    status: str
    conclusions: tuple[Conclusion, ...]
    url: str


@dataclass(frozen=True, slots=True)
class InvestigationPage:
    items: tuple[InvestigationItem, ...]
    total: int | None
    size: int = 0  # entries in the answer, unusable ones included


class Progress(StrEnum):
    RUNNING = "running"
    CONCLUSIVE = "conclusive"
    INCONCLUSIVE = "inconclusive"
    FAILED = "failed"
    UNKNOWN = "unknown"


# Datadog documents the status as any text; a few words are known, their neighbours are tolerated.
_WORDS = {
    Progress.RUNNING: "pending in_progress running queued created started",
    Progress.CONCLUSIVE: "conclusive completed complete succeeded success done finished",
    Progress.INCONCLUSIVE: "inconclusive",
    Progress.FAILED: "failed failure error errored cancelled canceled timed_out timeout expired",
}
_MEANINGS = {word: meaning for meaning, words in _WORDS.items() for word in words.split()}


def progress(status: str) -> Progress:
    word = re.sub(r"[\s_-]+", "_", status.strip().lower())
    return _MEANINGS.get(word, Progress.UNKNOWN)


def progress_of(detail: InvestigationDetail) -> Progress:
    """How far a run is. An unknown status is still running while there are no conclusions."""
    known = progress(detail.status)
    if known is Progress.UNKNOWN:
        return Progress.CONCLUSIVE if detail.conclusions else Progress.RUNNING
    return known


class BitsInvestigations:
    def __init__(self, client: Datadog) -> None:
        self._client = client

    async def trigger_alert(self, monitor_id: int, event_id: str, event_ts: int) -> str:
        """Start a run on one monitor event (time in Unix ms) and return its id. Costs money, is not idempotent."""
        alert = {"monitor_id": monitor_id, "event_id": event_id, "event_ts": event_ts}
        return await self._trigger({"type": "monitor_alert_trigger", "monitor_alert_trigger": alert})

    async def trigger_question(
        self, description: str, tags: tuple[str, ...] = (), start_ts: int | None = None, end_ts: int | None = None
    ) -> str:
        """Start a run on free text. The window (Unix ms) is given as both ends or not at all."""
        question = _question(description, tags, start_ts, end_ts)
        return await self._trigger({"type": "general_investigation", "general_investigation": question})

    async def _trigger(self, trigger: JsonObject) -> str:
        body = {"data": {"type": "trigger_investigation_request", "attributes": {"trigger": trigger}}}
        # one try: a definite no has to reach the caller at once, lest a time limit turns it into an open question
        answer = await self._client.call("POST", _PATH, json=body, permission=WRITE, attempts=1)
        started = text(answer, "data", "attributes", "investigation_id") or text(answer, "data", "id")
        if not started:
            raise Unreadable("Datadog started an investigation without naming it")
        return started

    async def page(self, offset: int = 0, limit: int = PAGE_SIZE, monitor_id: int | None = None) -> InvestigationPage:
        params: dict[str, str | int] = {"page[offset]": offset, "page[limit]": limit}
        if monitor_id is not None:
            params["filter[monitor_id]"] = monitor_id
        answer = await self._client.call("GET", _PATH, params=params, permission=READ)
        data = member(answer, "data")
        if not isinstance(data, list):
            raise Unreadable("Datadog's list of investigations holds no list")
        items = tuple(_item(entry) for entry in objects(data) if text(entry, "id"))
        return InvestigationPage(items, whole(answer, "meta", "page", "total"), len(data))

    async def ids(self, monitor_id: int | None = None) -> frozenset[str]:
        """The ids in the list now, to tell a new run from the old ones.

        With a monitor all its pages, within reason. Without one, both ends of the list: its order is undocumented.
        """
        first = await self.page(monitor_id=monitor_id)
        if monitor_id is None and first.total is not None and first.total > first.size:
            last = await self.page(offset=max(first.size, first.total - PAGE_SIZE))
            return _ids(first) | _ids(last)
        return _ids(first) | await self._ids_after(first, monitor_id)

    async def _ids_after(self, first: InvestigationPage, monitor_id: int | None) -> frozenset[str]:
        found: frozenset[str] = frozenset()
        page, offset = first, first.size
        for _ in range(MOST_PAGES - 1):
            if page.size < PAGE_SIZE if page.total is None else page.size == 0 or offset >= page.total:
                break
            page = await self.page(offset=offset, monitor_id=monitor_id)
            found |= _ids(page)
            offset += page.size
        return found

    async def get(self, investigation_id: str) -> InvestigationDetail:
        path = f"{_PATH}/{segment(investigation_id)}"
        answer = await self._client.call("GET", path, permission=READ)
        if not isinstance(member(answer, "data"), dict):
            raise Unreadable("Datadog's answer holds no investigation")
        return InvestigationDetail(
            id=text(answer, "data", "id") or investigation_id,
            title=text(answer, "data", "attributes", "title"),
            status=text(answer, "data", "attributes", "status"),
            conclusions=_conclusions(answer),
            url=self._url(text(answer, "links", "self"), investigation_id),
        )

    def _url(self, told: str, investigation_id: str) -> str:
        ours = f"{self._client.app_url}/bits-ai/investigations/{segment(investigation_id)}"
        return told if is_datadog_url(told) else ours


def _question(description: str, tags: tuple[str, ...], start_ts: int | None, end_ts: int | None) -> JsonObject:
    if not description.strip():
        raise ValueError("A question for Bits needs some text.")
    if len(description) > LONGEST_QUESTION:
        raise ValueError(f"A question for Bits can't be longer than {LONGEST_QUESTION} characters.")
    question: JsonObject = {"description": description}
    if tags:
        question["tags"] = list(tags)
    if start_ts is None and end_ts is None:
        return question
    if start_ts is None or end_ts is None:
        raise ValueError("A time window needs both its start and its end.")
    if start_ts >= end_ts:
        raise ValueError("A time window has to start before it ends.")
    return question | {"start_time": start_ts, "end_time": end_ts}


def _item(entry: JsonObject) -> InvestigationItem:
    return InvestigationItem(text(entry, "id"), text(entry, "attributes", "title"), text(entry, "attributes", "status"))


def _ids(page: InvestigationPage) -> frozenset[str]:
    return frozenset(item.id for item in page.items)


def _conclusions(answer: JsonObject) -> tuple[Conclusion, ...]:
    return tuple(
        Conclusion(text(entry, "title"), text(entry, "summary"), text(entry, "description"))
        for entry in objects(answer, "data", "attributes", "conclusions")
    )
