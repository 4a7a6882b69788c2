"""What the fake was asked and what came of it, and a way to wait for either. Keys never stand here."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Seen:
    """One request as it came in; its status is None until it is answered, and stays so if it never is."""

    number: int
    at: float
    method: str
    path: str
    query: dict[str, str]
    json: Any
    org: str = ""
    status: int | None = None
    answer: Any = None
    seconds: float = 0.0  # until it was answered


@dataclass(frozen=True, slots=True)
class Effect:
    """One change in Datadog's world that a call brought about."""

    kind: str
    at: float
    org: str
    subject: Any
    details: dict[str, Any] = field(default_factory=dict)


class Journal:
    def __init__(self) -> None:
        self.requests: list[Seen] = []
        self.effects: list[Effect] = []
        self.listeners: list[Callable[[], None]] = []
        self._waiting: list[tuple[Callable[[], Any], asyncio.Future[Any]]] = []

    def saw(self, seen: Seen) -> None:
        self.requests.append(seen)
        self.notify()

    def happened(self, kind: str, at: float, org: str, subject: Any, **details: Any) -> None:
        self.effects.append(Effect(kind, at, org, subject, details))

    def notify(self) -> None:
        """Looks again at what is waited for."""
        for listener in self.listeners:
            listener()
        for predicate, future in list(self._waiting):
            if future.done():
                continue
            try:
                answer = predicate()
            except Exception as error:  # noqa: BLE001 - belongs to the one who waits
                future.set_exception(error)
            else:
                if answer:
                    future.set_result(answer)

    async def wait_for(self, predicate: Callable[[], T], timeout: float) -> T:  # noqa: ASYNC109 - tests give it
        found = predicate()
        if found:
            return found
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        entry = (predicate, future)
        self._waiting.append(entry)
        try:
            return await asyncio.wait_for(future, timeout)
        except TimeoutError:
            raise TimeoutError(f"not seen within {timeout} s; the journal holds: {self.summary()}") from None
        finally:
            self._waiting.remove(entry)

    def summary(self) -> str:
        lines = [f"{seen.method} {seen.path} -> {seen.status}" for seen in self.requests[-15:]]
        return "; ".join(lines) or "nothing"

    def asked(self, method: str, path: str) -> list[Seen]:
        return [seen for seen in self.requests if seen.method == method and seen.path == path]
