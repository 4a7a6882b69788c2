"""Readable names for drafts of insights, asked of Datadog in the background with a short deadline. Never fails, never blocks
a modal."""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping

from bot.datadog.client import Datadog
from bot.datadog.errors import DatadogError, Forbidden, NotFound, NotSent, RateLimited, Unauthorized, Unreadable
from bot.datadog.insights import InsightDraft, InsightKey, InsightType, Lookup, LookupKind
from bot.datadog.monitors import Monitors
from bot.datadog.shapes import member, objects, segment, text

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
            raise Unreadable("Datadog's answer holds no incident", method="GET", path=path)
        return text(answer, "data", "attributes", "title")

    async def _title_of_number(self, number: str) -> str:
        query = {"query": f"public_id:{number}"}
        answer = await self._client.call("GET", _SEARCH, params=query, permission=_READ_INCIDENTS)
        for found in objects(answer, "data", "attributes", "incidents"):
            if text(found, "data", "attributes", "public_id") == number:
                return text(found, "data", "attributes", "title")
        raise NotFound("Datadog's search knows no incident of this number", method="GET", path=_SEARCH)


async def look_up_labels(
    drafts: Iterable[InsightDraft],
    *,
    monitors: Monitors,
    incidents: Incidents,
    seconds: float = DEADLINE_SECONDS,
    at_once: int = AT_ONCE,
) -> dict[InsightKey, str]:
    """The labels learnt within the deadline. Those of drafts missing here stay what they are."""
    known = tuple(drafts)
    wanted = dict.fromkeys(draft.lookup for draft in known if draft.lookup)
    names = await _Names(monitors, incidents, at_once).learn(wanted, seconds)
    return {draft.key: label for draft in known if (label := _label(draft, names))}


def _label(draft: InsightDraft, names: Mapping[Lookup, str]) -> str:
    name = names.get(draft.lookup, "") if draft.lookup else ""
    if not name:
        return ""
    if draft.type is InsightType.MONITOR:
        return f"Monitor: {name}"[:LONGEST_LABEL]
    return f"{draft.label}: {name}"[:LONGEST_LABEL]


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
                self._learnt[lookup] = " ".join((await self._name(lookup)).split())
            except (Unauthorized, Forbidden, RateLimited, NotSent):
                self._pointless.add(lookup.kind)
            except DatadogError:
                return

    async def _name(self, lookup: Lookup) -> str:
        if lookup.kind is LookupKind.MONITOR:
            return (await self._monitors.get(int(lookup.id))).name
        return await self._incidents.title(lookup.id)
