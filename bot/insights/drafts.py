"""The list of insights a person is putting together: merged, chosen, counted, cut into requests. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from bot.datadog.insight_drafts import InsightDraft, InsightKey, SetAside
from bot.datadog.insight_types import type_summary

MOST_IN_A_REQUEST = 100

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of the list. What stands on the case already is shown as such and never sent again."""

    draft: InsightDraft
    chosen: bool = True
    on_case: bool = False

    @property
    def to_send(self) -> bool:
        return self.chosen and not self.on_case


@dataclass(frozen=True, slots=True)
class InsightList:
    """Every operation answers a new list; the order is the order of adding."""

    lines: tuple[Listed, ...] = ()
    set_aside: tuple[SetAside, ...] = ()

    def add(self, drafts: Iterable[InsightDraft], *, chosen: bool = True) -> "InsightList":
        """Merged by type and resource id: what is listed keeps its place, and is chosen if it is chosen now."""
        lines = {line.draft.key: line for line in self.lines}
        for draft in drafts:
            known = lines.get(draft.key)
            lines[draft.key] = replace(known, chosen=known.chosen or chosen) if known else Listed(draft, chosen)
        return replace(self, lines=tuple(lines.values()))

    def put_aside(self, pieces: Iterable[SetAside]) -> "InsightList":
        return replace(self, set_aside=tuple(dict.fromkeys((*self.set_aside, *pieces))))

    def drop_set_aside(self) -> "InsightList":
        return replace(self, set_aside=())

    def mark_on_case(self, keys: Iterable[InsightKey]) -> "InsightList":
        """Which insights the case holds now, as Datadog answered; the earlier marks are forgotten."""
        held = frozenset(keys)
        return self._each(lambda line: replace(line, on_case=line.draft.key in held))

    def choose(self, handles: Iterable[str], *, among: Iterable[str] | None = None) -> "InsightList":
        """Chosen are exactly these, of those that were shown (`among`); without it, of all."""
        wanted = frozenset(handles)
        shown = None if among is None else frozenset(among)
        return self._each(
            lambda line: (
                line
                if shown is not None and line.draft.handle not in shown
                else replace(line, chosen=line.draft.handle in wanted)
            )
        )

    def remove(self, handles: Iterable[str]) -> "InsightList":
        gone = frozenset(handles)
        return replace(self, lines=tuple(line for line in self.lines if line.draft.handle not in gone))

    def relabel(self, labels: Mapping[InsightKey, str]) -> "InsightList":
        return self._each(
            lambda line: replace(
                line, draft=replace(line.draft, label=labels.get(line.draft.key, "") or line.draft.label)
            )
        )

    @property
    def drafts(self) -> tuple[InsightDraft, ...]:
        return tuple(line.draft for line in self.lines)

    @property
    def to_send(self) -> tuple[InsightDraft, ...]:
        return tuple(line.draft for line in self.lines if line.to_send)

    @property
    def on_case(self) -> tuple[InsightDraft, ...]:
        return tuple(line.draft for line in self.lines if line.on_case)

    def pages(self, size: int = MOST_IN_A_REQUEST) -> tuple[tuple[Listed, ...], ...]:
        """The lines as they fit into one select each."""
        return in_groups(self.lines, size)

    def batches(self, size: int = MOST_IN_A_REQUEST) -> tuple[tuple[InsightDraft, ...], ...]:
        """What is to be sent, as it fits into one request each."""
        return in_groups(self.to_send, size)

    @property
    def counter(self) -> str:
        """`7 of 9 chosen, 1 already on the case`."""
        if not self.lines:
            return "Nothing listed yet"
        held = len(self.on_case)
        counted = f"{len(self.to_send)} of {len(self.lines)} chosen"
        return f"{counted}, {held} already on the case" if held else counted

    @property
    def summary(self) -> str:
        """`3 monitors, 1 incident` of what is to be sent."""
        return summary_of(self.to_send)

    def _each(self, change: Callable[[Listed], Listed]) -> "InsightList":
        return replace(self, lines=tuple(change(line) for line in self.lines))


def summary_of(drafts: Iterable[InsightDraft]) -> str:
    return type_summary(draft.type.value for draft in drafts)


def in_groups(items: Sequence[T], size: int) -> tuple[tuple[T, ...], ...]:
    return tuple(tuple(items[start : start + size]) for start in range(0, len(items), size))
