"""An organisation's projects and case types, kept for ten minutes so that a form opens without asking Datadog, and what
the selects of the form offer of them."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bot.datadog.case_attributes import CustomAttribute
from bot.datadog.cases import PRIORITIES, STANDARD_TYPE, CaseType, Project, StatusOption
from bot.datadog.errors import DatadogError
from bot.datadog.orgs import ConnectedOrg
from bot.datadog.trouble import Trouble, or_trouble
from bot.orgs.repository import OrgRepository
from bot.storage.workers import Tasks

FRESH_FOR = 600.0
CUSTOM_WAIT = 5.0
NAMES_WAIT = 3.0  # seconds; without names a card is only plainer
NO_PRIORITY = "NOT_DEFINED"
MOST_OPTIONS = 100  # in one select


@dataclass(frozen=True, slots=True)
class Catalog:
    projects: tuple[Project, ...]
    types: tuple[CaseType, ...]
    custom: tuple[CustomAttribute, ...] = ()

    def project(self, project_id: str) -> Project | None:
        return next((each for each in self.projects if each.id == project_id), None)

    def type(self, type_id: str) -> CaseType | None:
        return next((each for each in self.types if each.id == type_id), None)

    def custom_of(self, type_id: str) -> tuple[CustomAttribute, ...]:
        return tuple(each for each in self.custom if each.type_id == type_id)

    def project_named(self, word: str) -> Project | None:
        """By key or id, as settings name it."""
        wanted = word.strip().casefold()
        return next((each for each in self.projects if wanted and wanted in {each.key.casefold(), each.id}), None)

    def type_named(self, word: str) -> CaseType | None:
        """By name or id; a deleted one is none."""
        wanted = word.strip().casefold()
        offered = (each for each in self.types if wanted and not each.deleted)
        return next((each for each in offered if wanted in {each.name.casefold(), each.id}), None)


class Catalogs:
    def __init__(self, orgs: OrgRepository, tasks: Tasks, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._orgs = orgs
        self._tasks = tasks
        self._clock = clock
        self._known: dict[str, tuple[float, Catalog]] = {}
        self._fetching: dict[str, asyncio.Task[Catalog]] = {}

    def known(self, org: str) -> Catalog | None:
        """What is known now, however old. Nobody is asked."""
        entry = self._known.get(org)
        return entry[1] if entry else None

    def forget(self, org: str) -> None:
        """Datadog does not know something we offered: ask anew before the next form."""
        self._known.pop(org, None)

    async def get(self, org: str, workspace: str) -> Catalog | None:
        """What is known; asked for only the first time, and again in the background once it is old.

        None when no organisation is connected that serves the workspace. Raises DatadogError.
        """
        connected = await self._orgs.get(org, workspace)
        return await self.of(connected) if connected else None

    async def of(self, org: ConnectedOrg) -> Catalog:
        entry = self._known.get(org.name)
        if entry is None:
            return await self.fetch(org)
        if self._clock() - entry[0] > FRESH_FOR:
            self._tasks.spawn(self._refresh(org), "refresh of projects and case types")
        return entry[1]

    async def learn_names(self, org: ConnectedOrg) -> None:
        """What statuses, types and projects are called, for a card; asked for only the first time."""
        await or_trouble(self.of(org), NAMES_WAIT)

    async def fetch(self, org: ConnectedOrg) -> Catalog:
        """As Datadog has it now; callers at the same time share one request."""
        name = org.name
        fetching = self._fetching.get(name)
        if fetching is None:
            fetching = self._fetching[name] = asyncio.create_task(self._fetch(org), name="projects and case types")
            fetching.add_done_callback(lambda done: self._fetched(name, done))
        return await asyncio.shield(fetching)

    def _fetched(self, org: str, done: "asyncio.Task[Catalog]") -> None:
        self._fetching.pop(org, None)
        if not done.cancelled():
            done.exception()  # whoever waited has it; nobody may be waiting any more

    async def _fetch(self, org: ConnectedOrg) -> Catalog:
        projects, types, custom = await asyncio.gather(org.cases.projects(), org.cases.types(), _custom(org))
        catalog = Catalog(projects, types, custom)
        self._known[org.name] = (self._clock(), catalog)
        return catalog

    async def _refresh(self, org: ConnectedOrg) -> None:
        with contextlib.suppress(DatadogError):  # what we have still serves; the next form tries again
            await self.fetch(org)


async def _custom(org: ConnectedOrg) -> tuple[CustomAttribute, ...]:
    """Without their names custom attributes go by their keys; no form waits or fails for that."""
    found = await or_trouble(org.cases.custom_attributes(), CUSTOM_WAIT)
    return () if isinstance(found, Trouble) else found


# -- what is offered of it ----------------------------------------------------------------------------------------------


def priority_of(monitor_priority: int | None) -> str:
    """A monitor's 1 to 5 as a case's P1 to P5."""
    name = f"P{monitor_priority}"
    return name if name in PRIORITIES else NO_PRIORITY


def offered_types(types: Iterable[CaseType], project: Project | None = None) -> tuple[CaseType, ...]:
    """Types a new case may have: Standard first, Datadog's own next, then the organisation's by name.

    Deleted ones are hidden, and those that only Datadog's products make. A project that says which custom types it takes
    hides the others.
    """
    enabled = frozenset(project.enabled_type_ids) if project else frozenset[str]()
    usable = [
        each
        for each in types
        if not each.deleted
        and each.by_hand
        and (each.internal or each.id == STANDARD_TYPE or not enabled or each.id in enabled)
    ]
    return tuple(sorted(usable, key=lambda each: (each.id != STANDARD_TYPE, not each.internal, each.name.casefold())))


def preselected_type(offered: Iterable[CaseType], wanted_id: str = "") -> CaseType | None:
    """The type wanted (by the channel, or as chosen before) if it is offered, else the first."""
    listed = tuple(offered)
    return next((each for each in listed if each.id == wanted_id), listed[0] if listed else None)


def status_names(case_type: CaseType | None) -> tuple[StatusOption, ...]:
    """The statuses in the type's own words, each once, in Datadog's order: open, in progress, closed."""
    named: dict[str, StatusOption] = {}
    for option in case_type.statuses if case_type else ():
        named.setdefault(option.name, option)
    return tuple(named.values())


def first_status(case_type: CaseType | None) -> StatusOption | None:
    """What a new case of the type starts as."""
    opening = [option for option in status_names(case_type) if option.group == "open"]
    return next((option for option in opening if option.default), opening[0] if opening else None)


def sorted_projects(projects: Iterable[Project]) -> tuple[Project, ...]:
    return tuple(sorted(projects, key=lambda each: (each.name.casefold(), each.key)))


def project_words(project: Project) -> str:
    return project.name if project.name == project.key else f"{project.name} ({project.key})"


def search_projects(projects: Iterable[Project], words: str) -> tuple[Project, ...]:
    """Projects for what somebody typed: the key itself, then beginnings, then all that hold every word."""
    wanted = words.casefold().split()
    ranked = [(_rank(each, wanted), each) for each in sorted_projects(projects)]
    matching = sorted((pair for pair in ranked if pair[0] is not None), key=lambda pair: pair[0] or 0)
    return tuple(project for _, project in matching)[:MOST_OPTIONS]


def _rank(project: Project, wanted: list[str]) -> int | None:
    """0 for the best; None for no match."""
    key, name = project.key.casefold(), project.name.casefold()
    phrase = " ".join(wanted)
    if phrase == key:
        return 0
    if key.startswith(phrase) or name.startswith(phrase):
        return 1
    return 2 if all(word in f"{key} {name}" for word in wanted) else None
