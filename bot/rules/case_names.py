"""What the settings form offers for the project and the type of new cases: Datadog's own, as far as they are known already.

Where the lists come from is not known here, and nobody waits for Datadog while a menu is open.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.slack.blocks import Block, option, plain
from bot.slack.text import one_line
from bot.wording import DATADOG

# no name begins with a space
NONE = " none"
AS_IT_WAS = " as it was"  # of an option that only says something
LONGEST = 64  # of a name that rules keep
_MOST_OFFERED = 99  # with None before them


@dataclass(frozen=True, slots=True)
class CaseName:
    """One project or type."""

    id: str
    name: str  # by which rules call it
    words: str  # as people read it

    def is_called(self, word: str) -> bool:
        return word.strip().casefold() in {self.name.casefold(), self.id.casefold()}

    def has(self, words: Sequence[str]) -> bool:
        return all(word in self.words.casefold() for word in words)


@dataclass(frozen=True, slots=True)
class CaseNames:
    projects: tuple[CaseName, ...] = ()
    types: tuple[CaseName, ...] = ()

    def __add__(self, other: "CaseNames") -> "CaseNames":
        return CaseNames(_once(self.projects + other.projects), _once(self.types + other.types))


class KnownCaseNames(Protocol):
    """Each organisation's projects and types."""

    def known(self, org: str) -> CaseNames | None:
        """None: not loaded yet. Nobody is asked."""

    async def learn(self, org: str, workspace: str) -> None:
        """Load them if they are not here. Waits a moment at most, and goes on behind it."""


def _once(names: tuple[CaseName, ...]) -> tuple[CaseName, ...]:
    return tuple({each.name.casefold(): each for each in names}.values())


def names_of(lists: KnownCaseNames, orgs: Sequence[str]) -> CaseNames | None:
    """Of all these organisations; None while one of them is not known."""
    known = [lists.known(org) for org in orgs]
    names = CaseNames()
    for each in known:
        if each is None:
            return None
        names += each
    return names if known else None


def offered(names: tuple[CaseName, ...] | None, typed: str) -> list[Block]:
    typed = one_line(typed, LONGEST)
    if names is None:
        said = f"{DATADOG}'s list isn't here yet"
        if not typed:
            return [_none(), option(f"Still loading from {DATADOG}: open this again, or type", AS_IT_WAS)]
        return [option(typed, typed) | {"description": plain(f"As you typed it. {said}.", 75)}]
    words = typed.casefold().split()
    found = sorted((each for each in names if each.has(words)), key=lambda each: _rank(each, typed))
    return [*([] if typed else [_none()]), *(option(each.words, each.name) for each in found[:_MOST_OFFERED])]


def _rank(name: CaseName, typed: str) -> tuple[bool, bool]:
    return not name.is_called(typed), not name.words.casefold().startswith(typed.casefold())


def _none() -> Block:
    return option("None", NONE)


def chosen(names: tuple[CaseName, ...] | None, stored: str) -> Block:
    """The option that stands for what the rules say."""
    found = next((each for each in names or () if each.is_called(stored)), None)
    return option(found.words if found else stored, stored)


def gone(names: tuple[CaseName, ...] | None, stored: str) -> str:
    """A sentence about what the rules name and Datadog does not."""
    if not stored or names is None or any(each.is_called(stored) for each in names):
        return ""
    return (
        f"{DATADOG} doesn't list {one_line(stored, LONGEST)} any more: new cases don't start with it. Choose another."
    )


def read_choice(value: str, stored: str) -> str:
    """What the rules are to say."""
    if value == AS_IT_WAS:
        return stored
    return "" if value == NONE else value.strip()[:LONGEST]
