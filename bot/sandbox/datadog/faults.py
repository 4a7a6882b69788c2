"""What a test or a person breaks on purpose: wrong answers, dropped connections, late answers, effects that land later."""

import asyncio
import fnmatch
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.sandbox.datadog.answers import JSON, Answer, Json, usual
from bot.sandbox.datadog.journal import Seen


@dataclass(slots=True, eq=False)
class Fault:
    """Applies to the matching requests after the first `skip`, `times` times."""

    method: str
    path: str
    times: int = 1
    skip: int = 0
    status: int | None = None
    body: Json = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float | None = None
    drop: Literal["before", "after"] | None = None
    hang: bool = False
    lands_after: float | None = None
    carried_out: bool | None = None
    where: Callable[[Seen], bool] | None = None
    hits: list[Seen] = field(default_factory=list)
    _released: asyncio.Event = field(default_factory=asyncio.Event)

    def covers(self, seen: Seen) -> bool:
        return (
            self.method in {"*", seen.method}
            and fnmatch.fnmatchcase(seen.path, self.path)
            and (self.where is None or self.where(seen))
        )

    @property
    def effect_first(self) -> bool:
        """Whether the call does its work although its sender may never learn of it."""
        if self.lands_after is not None:
            return False
        if self.carried_out is not None:
            return self.carried_out
        return self.drop == "after" or (self.drop is None and not self.hang and self.status is None)

    @property
    def effect_last(self) -> bool:
        """A call that only hung does its work when it is let go."""
        spoiled = self.status is not None or self.body is not None or self.carried_out is False
        return self.hang and self.answered and not spoiled

    @property
    def answered(self) -> bool:
        return self.drop is None and self.lands_after is None

    def release(self) -> None:
        """Lets go of what hangs, waits or is to land later, at once and from now on."""
        self._released.set()

    async def wait(self) -> None:
        """As long as the answer is to take."""
        if self.hang:
            await self._released.wait()
        if self.delay:
            await self.pause(self.delay)

    async def pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._released.wait(), seconds)
        except TimeoutError:
            return

    def answer(self, real: Answer | None) -> Answer:
        """The answer to give in place of the real one."""
        if self.status is None and self.body is None:
            answer = real or usual(503)
            return Answer(answer.body, answer.status, answer.content_type, {**answer.headers, **self.headers})
        status = self.status or 200
        if self.body is None:
            known = usual(status)
            return Answer(known.body, status, known.content_type, self.headers)
        opening = self.body.lstrip()[:1] if isinstance(self.body, str) else "{"
        kind = "text/html" if opening == "<" else JSON if opening in {"{", "["} else "text/plain"
        return Answer(self.body, status, kind, self.headers)


class Faults:
    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        self._faults.append(fault)
        return fault

    def take(self, seen: Seen) -> Fault | None:
        """The first fault that has this request in its range; all that match it count it."""
        chosen: Fault | None = None
        for fault in list(self._faults):
            if not fault.covers(seen):
                continue
            if fault.skip > 0:
                fault.skip -= 1
            elif chosen is None and len(fault.hits) < fault.times:
                chosen = fault
        if chosen:
            chosen.hits.append(seen)
        return chosen

    def clear(self) -> None:
        self.release()
        self._faults.clear()

    def release(self) -> None:
        for fault in self._faults:
            fault.release()
