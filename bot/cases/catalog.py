"""An organisation's projects and case types, kept for ten minutes so that a form opens without asking Datadog."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from bot.cases.ports import CaseOrgs
from bot.datadog.case_model import CaseType, Project
from bot.datadog.errors import DatadogError
from bot.storage.workers import Tasks

FRESH_FOR = 600.0


@dataclass(frozen=True, slots=True)
class Catalog:
    projects: tuple[Project, ...]
    types: tuple[CaseType, ...]

    def project(self, project_id: str) -> Project | None:
        return next((each for each in self.projects if each.id == project_id), None)

    def type(self, type_id: str) -> CaseType | None:
        return next((each for each in self.types if each.id == type_id), None)

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
    def __init__(
        self,
        orgs: CaseOrgs,
        tasks: Tasks,
        *,
        fresh_for: float = FRESH_FOR,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._orgs = orgs
        self._tasks = tasks
        self._fresh_for = fresh_for
        self._clock = clock
        self._known: dict[str, tuple[float, Catalog]] = {}
        self._fetching: dict[str, asyncio.Task[Catalog | None]] = {}

    def known(self, org: str) -> Catalog | None:
        """What is known now, however old. Nobody is asked."""
        entry = self._known.get(org)
        return entry[1] if entry else None

    def forget(self, org: str) -> None:
        """Datadog does not know something we offered: ask anew before the next form."""
        self._known.pop(org, None)

    async def get(self, org: str) -> Catalog | None:
        """What is known; asked for only the first time, and again in the background once it is old.

        None when no organisation is connected. Raises DatadogError.
        """
        entry = self._known.get(org)
        if entry is None:
            return await self.fetch(org)
        if self._clock() - entry[0] > self._fresh_for:
            self._tasks.spawn(self._refresh(org), "refresh of projects and case types")
        return entry[1]

    async def fetch(self, org: str) -> Catalog | None:
        """As Datadog has it now; callers at the same time share one request."""
        fetching = self._fetching.get(org)
        if fetching is None:
            fetching = self._fetching[org] = asyncio.create_task(self._fetch(org), name="projects and case types")
            fetching.add_done_callback(lambda done: self._fetched(org, done))
        return await asyncio.shield(fetching)

    def _fetched(self, org: str, done: "asyncio.Task[Catalog | None]") -> None:
        self._fetching.pop(org, None)
        if not done.cancelled():
            done.exception()  # whoever waited has it; nobody may be waiting any more

    async def _fetch(self, org: str) -> Catalog | None:
        connected = await self._orgs.get(org)
        if connected is None:
            return None
        projects, types = await asyncio.gather(connected.cases.projects(), connected.cases.types())
        catalog = Catalog(projects, types)
        self._known[org] = (self._clock(), catalog)
        return catalog

    async def _refresh(self, org: str) -> None:
        try:
            await self.fetch(org)
        except DatadogError:
            return  # what we have still serves; the next form tries again
