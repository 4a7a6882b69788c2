"""The case that stands in a thread, for what other rooms show and say there."""

from dataclasses import dataclass

from bot.cases.actions import CaseActions
from bot.cases.card import case_url
from bot.cases.form import case_refusal
from bot.cases.model import CaseAction, CaseActionKind
from bot.cases.repository import CaseRepository
from bot.investigations.model import ThreadCase
from bot.model import Place
from bot.orgs.repository import OrgRepository
from bot.rules.permissions import Permissions
from bot.slack.interactions import Interaction


@dataclass(frozen=True, slots=True)
class CasesOfThreads:
    cases: CaseRepository
    orgs: OrgRepository
    permissions: Permissions

    async def link_in(self, place: Place) -> ThreadCase | None:
        known = await self.cases.of_thread(place)
        if known is None or await self.orgs.withholds(known.org, place.workspace):
            return None
        return ThreadCase(known.name, case_url(known, self.orgs.app_url(known.org)))

    async def comment(self, window: Interaction, words: str) -> bool:
        """On the case of the window's thread, as from its card; False where there is none, or the person may not."""
        known = await self.cases.of_thread(window.place)
        if known is None or await case_refusal(self.permissions, window.place, window.person):
            return False
        action = CaseAction(window.key, known.id, window.place, window.person, CaseActionKind.COMMENT, words)
        await CaseActions(self.cases.database, self.cases).take(action)
        return True
