"""What attaching insights needs of a Datadog organisation beyond what cases need, and of whoever tells people of it."""

from typing import Protocol

from bot.cases.ports import CaseOrg
from bot.datadog.incidents import Incidents
from bot.datadog.monitors import Monitors
from bot.insights.attach_jobs import AttachJob


class InsightOrg(CaseOrg, Protocol):
    @property
    def incidents(self) -> Incidents: ...
    @property
    def monitors(self) -> Monitors: ...


class InsightOrgs(Protocol):
    async def get(self, org: str, /) -> InsightOrg | None: ...


class Teller(Protocol):
    async def finished(self, submit: AttachJob, /) -> None:
        """Show the person what became of it, once."""
