"""An organisation's projects and case types as the channel settings offer them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bot.cases.catalog import Catalogs, offered_types, project_words, sorted_projects
from bot.datadog.cases import CaseType, Project
from bot.datadog.trouble import or_trouble
from bot.rules.case_names import LONGEST, CaseName, CaseNames

LISTS_WAIT = 2.0  # seconds a form stays empty for them; its menus show them as soon as they are here


@dataclass(frozen=True, slots=True)
class SettingsLists:
    catalogs: Catalogs

    def known(self, org: str) -> CaseNames | None:
        catalog = self.catalogs.known(org)
        if catalog is None:
            return None
        projects = tuple(map(_project, sorted_projects(catalog.projects)))
        return CaseNames(projects, tuple(_types(offered_types(catalog.types))))

    async def learn(self, org: str, workspace: str) -> None:
        await or_trouble(self.catalogs.get(org, workspace), LISTS_WAIT)


def _project(project: Project) -> CaseName:
    return CaseName(project.id, project.key if _can_be_kept(project.key) else project.id, project_words(project))


def _types(types: Sequence[CaseType]) -> list[CaseName]:
    """By name, where only one has it."""
    having = Counter(each.name.casefold() for each in types)
    return [
        CaseName(
            each.id,
            each.name if _can_be_kept(each.name) and having[each.name.casefold()] == 1 else each.id,
            each.name or each.id,
        )
        for each in types
    ]


def _can_be_kept(name: str) -> bool:
    return bool(name) and name == name.strip()[:LONGEST]
