"""Whose run a new one in Datadog's list is, where several starts have lost their answer. Decided, never guessed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OpenStart:
    """A start of ours whose outcome nobody knows yet. Times are Unix seconds."""

    id: int
    before: frozenset[str]  # what Datadog listed before it
    created_at: float
    finished_at: float | None = None  # since when its run must have shown up, if there is one


def run_of(start_id: int, starts: Iterable[OpenStart], unclaimed: frozenset[str]) -> str | None:
    """The run of this start: of all that is new to it the only one that can be nobody else's."""
    could_own = _candidates(list(starts), unclaimed)
    while certain := _certain(could_own):
        if start_id in certain:
            return certain[start_id]
        could_own = {start: runs - set(certain.values()) for start, runs in could_own.items() if start not in certain}
    return None


def _candidates(starts: list[OpenStart], unclaimed: frozenset[str]) -> dict[int, frozenset[str]]:
    """What each start may have begun: not what was there before it, nor what came after it must have shown."""
    candidates = {}
    for start in starts:
        runs = unclaimed - start.before
        for later in starts:
            if start.finished_at is not None and start.finished_at <= later.created_at:
                runs &= later.before
        candidates[start.id] = runs
    return candidates


def _certain(could_own: Mapping[int, frozenset[str]]) -> dict[int, str]:
    """Starts with exactly one run that no other start can have begun."""
    only_theirs: dict[int, list[str]] = {}
    for run in frozenset().union(*could_own.values()):
        owners = [start for start, runs in could_own.items() if run in runs]
        if len(owners) == 1:
            only_theirs.setdefault(owners[0], []).append(run)
    return {start: runs[0] for start, runs in only_theirs.items() if len(runs) == 1}
