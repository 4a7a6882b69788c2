"""What the case picker offers while somebody types: what we know at once, what Datadog finds if it is quick enough.

Slack waits three seconds and no more. A search that takes longer goes on for the next keystroke.
"""

import asyncio
import contextlib
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from bot.cases.model import KnownCase
from bot.cases.repository import CaseRepository
from bot.datadog.cases import Case, quoted
from bot.datadog.errors import DatadogError, Forbidden, NotFound, Unauthorized
from bot.datadog.links import Location, case_named, is_case_key
from bot.datadog.orgs import ConnectedOrg
from bot.insights.attach_form import CaseChoice
from bot.model import Place
from bot.orgs.repository import OrgRepository
from bot.storage.workers import Tasks

PATIENCE = 1.5  # seconds
FOUND = 25
_RECENT = 20
_FRESH_FOR = 60.0
_MOST_KEPT = 500
_AT_ONCE = 6
_LONGEST_QUERY = 200


@dataclass(frozen=True, slots=True)
class CaseSearch:
    """What to ask Datadog for: the exact case first where one is named, then a search."""

    exact: str  # its key or id; empty where none is named
    query: str  # in Datadog's syntax; empty for no search


def search_for(text: str, home: Location) -> CaseSearch:
    """How to find what somebody typed into the picker."""
    exact = case_named(text, home)
    if exact and not is_case_key(exact):
        return CaseSearch(exact, "")
    text = exact if exact and "/" in text else text
    words = " ".join(re.sub(r"[\x00-\x1f\x7f]+", " ", text).split())[:_LONGEST_QUERY]
    query = quoted(words)
    return CaseSearch(exact, "" if query == '""' else query)


class PickerHint(StrEnum):
    """Why the list may not be all there is."""

    NONE = "none"
    SLOW = "slow"
    FAILING = "failing"
    FORBIDDEN = "forbidden"
    NOTHING = "nothing"
    NO_ORG = "no_org"


@dataclass(frozen=True, slots=True)
class CaseOffer:
    cases: tuple[CaseChoice, ...]
    hint: PickerHint = PickerHint.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer(CaseOffer):
    at: float


@dataclass(eq=False, repr=False)
class CasePicker:
    cases: CaseRepository
    orgs: OrgRepository
    tasks: Tasks
    patience: float = PATIENCE
    clock: Callable[[], float] = time.monotonic
    _answers: OrderedDict[tuple[str, str], _Answer] = field(default_factory=OrderedDict, init=False)
    _asking: dict[tuple[str, str], asyncio.Event] = field(default_factory=dict, init=False)

    async def offer(self, org: str, typed: str, *, place: Place, person: str, home: Location) -> CaseOffer:
        recent = await self.cases.recent(
            org, workspace=place.workspace, channel=place.channel, person=person, limit=_RECENT
        )
        words = " ".join(typed.split())
        if not words and recent:
            return CaseOffer(tuple(map(_known, recent)))
        search = search_for(words, home)
        connected = await self.orgs.get(org, place.workspace)
        if connected is None:
            return _merged(words, recent, _Answer(cases=(), hint=PickerHint.NO_ORG, at=0.0), ())
        answer = await self._answer(connected, words.casefold(), search)
        return _merged(words, recent, answer, self._similar(org, words))

    async def _answer(self, org: ConnectedOrg, words: str, search: CaseSearch) -> _Answer:
        """Datadog's answer if it is kept or comes in time."""
        name = (org.name, words)
        kept = self._kept(name)
        if kept is None:
            ready = self._asking.get(name) or self._ask(org, name, search)
            if ready is not None:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(ready.wait(), self.patience)
            kept = self._kept(name)
        return kept or _Answer(cases=(), hint=PickerHint.SLOW, at=0.0)

    def _kept(self, name: tuple[str, str]) -> _Answer | None:
        answer = self._answers.get(name)
        return answer if answer and self.clock() - answer.at < _FRESH_FOR else None

    def _ask(self, org: ConnectedOrg, name: tuple[str, str], search: CaseSearch) -> asyncio.Event | None:
        """Asks in the background; None while too many questions are open already."""
        if len(self._asking) >= _AT_ONCE:
            return None
        ready = self._asking[name] = asyncio.Event()
        self.tasks.spawn(self._find(org, name, search, ready), "search for cases")
        return ready

    async def _find(self, org: ConnectedOrg, name: tuple[str, str], search: CaseSearch, ready: asyncio.Event) -> None:
        try:
            answer = await self._found(org, search)
            # a failure is not kept: the next keystroke asks again
            age = _FRESH_FOR - self.patience if answer.hint in {PickerHint.FAILING, PickerHint.FORBIDDEN} else 0.0
            self._answers.pop(name, None)
            self._answers[name] = replace(answer, at=answer.at - age)
            while len(self._answers) > _MOST_KEPT:
                self._answers.popitem(last=False)
        finally:
            self._asking.pop(name, None)
            ready.set()

    async def _found(self, org: ConnectedOrg, search: CaseSearch) -> _Answer:
        asking = (_or_hint(_exact(org, search)), _or_hint(_searched(org, search)))
        (exact, of_exact), (found, of_found) = await asyncio.gather(*asking)
        hint = of_exact if of_found is PickerHint.NONE else of_found
        choices = (CaseChoice(each.id, each.key, each.title, each.status_name or each.status) for each in exact + found)
        return _Answer(cases=tuple(choices), hint=hint, at=self.clock())

    def _similar(self, org: str, words: str) -> tuple[CaseChoice, ...]:
        """Out of earlier answers, what fits the words: something to show while Datadog is slow."""
        if not words:
            return ()
        kept = (answer.cases for (asked, _), answer in reversed(self._answers.items()) if asked == org)
        return tuple(case for cases in kept for case in cases if _fits(case, words))


async def _exact(org: ConnectedOrg, search: CaseSearch) -> tuple[Case, ...]:
    try:
        return (await org.cases.get(search.exact),) if search.exact else ()
    except NotFound:
        return ()


async def _searched(org: ConnectedOrg, search: CaseSearch) -> tuple[Case, ...]:
    return () if search.exact and not search.query else await org.cases.search(search.query, size=FOUND)


async def _or_hint(asking: Awaitable[tuple[Case, ...]]) -> tuple[tuple[Case, ...], PickerHint]:
    try:
        return await asking, PickerHint.NONE
    except DatadogError as error:
        refused = isinstance(error, Forbidden | Unauthorized)
        return (), PickerHint.FORBIDDEN if refused else PickerHint.FAILING


def _merged(words: str, recent: Sequence[KnownCase], answer: _Answer, similar: Iterable[CaseChoice]) -> CaseOffer:
    """The case named exactly first, then what is known here, then what Datadog found."""
    known = [case for case in map(_known, recent) if _fits(case, words)]
    everything = {case.id: case for case in (*known, *answer.cases, *similar)}
    wanted = words.casefold()
    exact = [case for case in everything.values() if wanted in {case.key.casefold(), case.id.casefold()}]
    cases = tuple(dict.fromkeys((*exact, *everything.values())))[:99]
    nothing = not cases and answer.hint is PickerHint.NONE
    return CaseOffer(cases, PickerHint.NOTHING if nothing else answer.hint)


def _fits(case: CaseChoice, words: str) -> bool:
    text = f"{case.key} {case.title} {case.id}".casefold()
    return all(word in text for word in words.casefold().split())


def _known(case: KnownCase) -> CaseChoice:
    return CaseChoice(case.case_id, case.key, case.title, case.status_word)
