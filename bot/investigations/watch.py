"""What a look at everything in flight asks Datadog for: its list as far as that pays, then single runs, a bounded number.

One `Watch` for each organisation. It knows no rows and no database: whoever looks says what runs, and fetches.
"""

import asyncio
import logging
import math
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Protocol

from bot.datadog.errors import DatadogError, RateLimited, Refused
from bot.datadog.investigations import InvestigationPage, Progress, progress

logger = logging.getLogger(__name__)

PAGE = 100
AT_ONCE = 8
MOST_PAGES = 250  # a look
MOST_ENDED = 1000  # fetched in a look
MOST_UNSEEN = 80  # those that the list does not show, or in a word we do not know
A_MINUTE = 360  # of all that is asked again and again while nothing changes
WORTH_ANOTHER_PAGE = 5  # so many unseen, and the other end of the list may show them

Fetch = Callable[[str], Awaitable[None]]


class Runs(Protocol):
    async def page(self, offset: int = 0, limit: int = PAGE) -> InvestigationPage: ...


class Reading:
    """Datadog's list, read once from both its ends: the order is undocumented, but what runs is likely to stand together.

    Pages shift while they are read: who slips through is unseen in this look.
    """

    def __init__(self) -> None:
        self.found: dict[str, Progress] = {}
        self.pages = 0
        self._read_of_start = 0
        self._read_of_end = 0
        self._total: int | None = None
        self._size = PAGE  # Datadog may give out smaller ones than we ask for
        self._shown_at_start = PAGE  # how many of ours, lately
        self._shown_at_end: int | None = None
        self._from_end = False
        self._is_over = False

    async def go_on(self, runs: Runs, wanted: Iterable[str]) -> None:
        """As far as it pays. After RateLimited it goes on where it was; other trouble ends it, unless nothing was read."""
        wanted = frozenset(wanted)
        while (unseen := len(wanted - self.found.keys())) and (number := self._worth_reading(unseen)):
            answers = await asyncio.gather(*(_answer(runs, offset) for offset in self._offsets(number)))
            pages = _until_trouble(answers)
            if pages:
                self._take_in(pages, wanted)
            if len(pages) < len(answers):
                self._end_with(next(answer for answer in answers if isinstance(answer, Exception)))

    def _end_with(self, trouble: Exception) -> None:
        if not self.pages or isinstance(trouble, Refused):
            raise trouble
        logger.warning("Datadog's list of investigations was read in part (%s)", type(trouble).__name__)
        self._is_over = True

    def _worth_reading(self, unseen: int) -> int:
        """How many pages next."""
        if self._is_over or self.pages >= MOST_PAGES:
            return 0
        if self._total is None:
            return int(self._shown_at_start > 0 or unseen > MOST_UNSEEN)
        left = math.ceil((self._total - self._read_of_start - self._read_of_end) / self._size)
        if unseen > left > 0:  # cheaper than to fetch them, wherever they stand
            return min(AT_ONCE, math.ceil(unseen / self._size), left)
        if self._shown_at_end is None and unseen < WORTH_ANOTHER_PAGE:
            return int(left > 0 and self._shown_at_start > 0)
        return int(left > 0 and (self._shown_at_start > 0 or self._shown_at_end != 0))

    def _offsets(self, number: int) -> list[int]:
        self._from_end = self._total is not None and self._shown_at_start == 0 and self._shown_at_end != 0
        if not self._from_end:
            return [self._read_of_start + each * self._size for each in range(number)]
        end = (self._total or 0) - self._read_of_end
        return [max(end - each * self._size, 0) for each in range(1, number + 1)]

    def _take_in(self, pages: Sequence[InvestigationPage], wanted: frozenset[str]) -> None:
        before = len(self.found)
        for page in pages:
            self.found |= {item.id: progress(item.status) for item in page.items if item.id in wanted}
        read = sum(page.size for page in pages)
        if not self.pages:
            self._size = max(read, 1)
        self.pages += len(pages)
        self._total = pages[-1].total
        self._is_over = pages[-1].size == 0
        if self._from_end:
            self._read_of_end += read
            self._shown_at_end = len(self.found) - before
        else:
            self._read_of_start += read
            self._shown_at_start = len(self.found) - before


class Waiting(Protocol):
    @property
    def age(self) -> float: ...
    @property
    def overdue(self) -> bool: ...


class Watch:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen_at: dict[str, float] = {}  # when each run was last known to go on
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._reading = Reading()
        self._to_fetch: deque[str] | None = None  # until the list is read
        self._unseen = 0

    async def look(self, runs: Runs, waiting: Mapping[str, Waiting], fetch: Fetch) -> float:
        """The answer is for how long Datadog should have its rest from us.

        A look that is cut short by a rate limit is gone on with by the next one, so that it comes to its end at last.
        """
        is_cut_short = False
        try:
            if self._to_fetch is None:
                await self._reading.go_on(runs, waiting)
                self._choose(waiting)
            await self._fetch_all(waiting, fetch)
            return (self._reading.pages + self._unseen) * 60 / A_MINUTE
        except RateLimited:
            is_cut_short = True
            raise
        finally:
            if not is_cut_short:
                self._begin_anew()

    def _choose(self, waiting: Mapping[str, Waiting]) -> None:
        """Whose deadline has come goes first, then whoever was not looked at for longest: so nobody waits for ever."""
        now, found = self._clock(), self._reading.found
        going_on = {each for each, how in found.items() if how is Progress.RUNNING}
        self._seen_at = {each: self._seen_at[each] for each in waiting if each in self._seen_at}
        self._seen_at |= dict.fromkeys(going_on, now)

        def rank(each: str) -> tuple[bool, float]:
            return not waiting[each].overdue, self._seen_at.get(each, now - waiting[each].age)

        worth_it = sorted(waiting.keys() - going_on, key=rank)
        unseen = [each for each in worth_it if found.get(each, Progress.UNKNOWN) is Progress.UNKNOWN]
        ended = [each for each in worth_it if found.get(each, Progress.UNKNOWN) is not Progress.UNKNOWN]
        self._unseen = len(unseen[:MOST_UNSEEN])
        self._to_fetch = deque([*ended[:MOST_ENDED], *unseen[:MOST_UNSEEN]])

    async def _fetch_all(self, waiting: Mapping[str, Waiting], fetch: Fetch) -> None:
        """One that can't be fetched holds up no other; a rate limit leaves the rest for the next time."""
        to_fetch, errors = self._to_fetch or deque(), list[Exception]()

        async def some() -> None:
            while to_fetch and not any(isinstance(error, RateLimited) for error in errors):
                each = to_fetch.popleft()
                try:
                    if each in waiting:
                        await fetch(each)
                except Exception as error:  # noqa: BLE001  raised below
                    errors.append(error)
                    if isinstance(error, RateLimited):
                        to_fetch.append(each)
                        return
                self._seen_at[each] = self._clock()

        await asyncio.gather(*(some() for _ in range(AT_ONCE)))
        if errors:
            raise next((error for error in errors if isinstance(error, RateLimited)), errors[0])


async def _answer(runs: Runs, offset: int) -> InvestigationPage | DatadogError | TimeoutError:
    try:
        return await runs.page(offset=offset, limit=PAGE)
    except (DatadogError, TimeoutError) as error:
        return error


def _until_trouble(answers: Iterable[InvestigationPage | Exception]) -> list[InvestigationPage]:
    pages = []
    for answer in answers:
        if isinstance(answer, Exception):
            break
        pages.append(answer)
    return pages
