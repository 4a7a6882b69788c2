"""Incidents, read by id or by the number in the app's URLs: the name and number people know them by."""

from dataclasses import dataclass

from bot.datadog.client import Datadog
from bot.datadog.errors import NotFound, Unreadable
from bot.datadog.shapes import JsonObject, member, objects, segment, text

READ = "incident_read"
_PATH = "/api/v2/incidents"
_SEARCH = f"{_PATH}/search"  # not stable yet, says Datadog


@dataclass(frozen=True, slots=True)
class Incident:
    id: str  # UUID
    public_id: str  # the number in the app's URLs
    title: str


class Incidents:
    def __init__(self, client: Datadog) -> None:
        self._client = client

    async def get(self, incident: str) -> Incident:
        """By its UUID or by its number; Datadog tells of a number only by searching for it."""
        if incident.isascii() and incident.isdigit():
            return await self._of_number(incident.lstrip("0"))
        path = f"{_PATH}/{segment(incident)}"
        answer = await self._client.call("GET", path, permission=READ)
        if not isinstance(member(answer, "data"), dict):
            raise Unreadable("Datadog's answer holds no incident", method="GET", path=path)
        return _incident(answer, incident)

    async def _of_number(self, number: str) -> Incident:
        query = {"query": f"public_id:{number}"}
        answer = await self._client.call("GET", _SEARCH, params=query, permission=READ)
        for found in objects(answer, "data", "attributes", "incidents"):
            if text(found, "data", "attributes", "public_id") == number:
                return _incident(found)
        raise NotFound("Datadog's search knows no incident of this number", method="GET", path=_SEARCH)


def _incident(answer: JsonObject, asked_for: str = "") -> Incident:
    return Incident(
        id=text(answer, "data", "id") or asked_for,
        public_id=text(answer, "data", "attributes", "public_id"),
        title=text(answer, "data", "attributes", "title"),
    )
