"""What attaching insights needs of a Datadog organisation beyond what cases need, and of whoever tells people of it."""

from typing import Protocol

from bot.datadog.orgs import ConnectedOrg
from bot.insights.attach_jobs import AttachJob

InsightOrg = ConnectedOrg


class InsightOrgs(Protocol):
    async def get(self, org: str, /) -> InsightOrg | None: ...


class Teller(Protocol):
    async def finished(self, submit: AttachJob, /) -> None:
        """Show the person what became of it, once."""
