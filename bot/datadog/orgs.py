"""The Datadog organisations we speak for: which client serves which, and where its app lives."""

from dataclasses import dataclass
from typing import Self

from bot.datadog.case_comments import CaseComments
from bot.datadog.cases import Cases
from bot.datadog.client import Datadog
from bot.datadog.events import Events
from bot.datadog.incidents import Incidents
from bot.datadog.investigations import BitsInvestigations
from bot.datadog.monitors import Monitors
from bot.datadog.users import Users


@dataclass(frozen=True, slots=True)
class ConnectedOrg:
    name: str
    client: Datadog
    app_url: str
    bits: BitsInvestigations
    alerts: Events
    monitors: Monitors
    cases: Cases
    comments: CaseComments
    users: Users
    incidents: Incidents

    @classmethod
    def on(cls, name: str, client: Datadog, app_url: str) -> Self:
        return cls(
            name,
            client,
            app_url,
            BitsInvestigations(client),
            Events(client),
            Monitors(client),
            Cases(client),
            CaseComments(client),
            Users(client),
            Incidents(client),
        )


class OrgsOfSettings:
    """The one organisation whose keys stand in the settings."""

    def __init__(self, org: ConnectedOrg | None) -> None:
        self._org = org

    async def get(self, org: str) -> ConnectedOrg | None:
        return self._org if self._org is not None and self._org.name == org else None

    def app_url(self, org: str) -> str:
        known = self._org is not None and self._org.name == org
        return self._org.app_url if known and self._org is not None else "https://app.datadoghq.com"

    async def close(self) -> None:
        if self._org is not None:
            await self._org.client.aclose()
