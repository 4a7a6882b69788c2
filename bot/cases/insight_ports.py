"""What attaching insights needs of a Datadog organisation beyond what cases need, and of whoever tells people of it."""

from typing import Protocol

from bot.cases.labels import IncidentNames
from bot.cases.ports import CaseOrg
from bot.cases.submits import Submit


class InsightOrg(CaseOrg, Protocol):
    @property
    def incidents(self) -> IncidentNames: ...


class InsightOrgs(Protocol):
    async def get(self, org: str, /) -> InsightOrg | None: ...


class Teller(Protocol):
    async def finished(self, submit: Submit, /) -> None:
        """Show the person what became of it, once."""
