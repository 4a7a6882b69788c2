"""Readable names for drafts, asked of Datadog in the background with a short deadline. Never fails, never blocks a modal."""

import asyncio
from collections.abc import Iterable, Mapping

from bot.datadog.errors import DatadogError, Forbidden, NotSent, RateLimited, Unauthorized
from bot.datadog.incidents import Incidents
from bot.datadog.insight_drafts import InsightDraft, InsightKey, Lookup, LookupKind
from bot.datadog.insight_types import InsightType
from bot.datadog.monitors import Monitors

DEADLINE_SECONDS = 2.0
AT_ONCE = 5
LONGEST_LABEL = 200


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
        asking = [asyncio.create_task(self._ask(lookup)) for lookup in wanted]
        if asking:
            try:
                done, _ = await asyncio.wait(asking, timeout=seconds)
            finally:
                await _cancel(asking)
            for task in done:
                task.result()
        return dict(self._learnt)

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
        return (await self._incidents.get(lookup.id)).title


async def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    unfinished = [task for task in tasks if not task.done()]
    for task in unfinished:
        task.cancel()
    await asyncio.gather(*unfinished, return_exceptions=True)
