"""Datadog users, looked up by e-mail address, so that a case can be assigned to a person known from Slack."""

from bot.datadog.case_model import Person, read_person
from bot.datadog.client import Datadog
from bot.datadog.shapes import objects

READ = "user_access_read"


class Users:
    def __init__(self, client: Datadog) -> None:
        self._client = client

    async def find_by_email(self, email: str) -> Person | None:
        """The active user with exactly this address. Datadog's filter also finds names that merely resemble it."""
        wanted = email.strip().casefold()
        if not wanted:
            return None
        params: dict[str, str | int] = {"filter": email.strip(), "filter[status]": "Active", "page[size]": 10}
        answer = await self._client.call("GET", "/api/v2/users", params=params, permission=READ)
        people = (read_person(data) for data in objects(answer, "data"))
        return next((person for person in people if person and person.email.casefold() == wanted), None)
