"""Incidents, read by id: the name and number people know them by."""

from dataclasses import dataclass

from bot.datadog.client import Datadog
from bot.datadog.errors import Unreadable
from bot.datadog.shapes import member, segment, text

READ = "incident_read"


@dataclass(frozen=True, slots=True)
class Incident:
    id: str  # UUID
    public_id: str  # the number in the app's URLs
    title: str


class Incidents:
    def __init__(self, client: Datadog) -> None:
        self._client = client

    async def get(self, incident_id: str) -> Incident:
        path = f"/api/v2/incidents/{segment(incident_id)}"
        answer = await self._client.call("GET", path, permission=READ)
        if not isinstance(member(answer, "data"), dict):
            raise Unreadable("Datadog's answer holds no incident", method="GET", path=path)
        return Incident(
            id=text(answer, "data", "id") or incident_id,
            public_id=text(answer, "data", "attributes", "public_id"),
            title=text(answer, "data", "attributes", "title"),
        )
