"""Credential checks: whether the keys are good, and as whom they act. For the doctor and for connecting an org."""

from dataclasses import dataclass

from bot.datadog.client import Datadog
from bot.datadog.errors import Forbidden, Unauthorized
from bot.datadog.shapes import flag, text


@dataclass(frozen=True, slots=True)
class KeyOwner:
    """Whoever the application key belongs to: all we do in Datadog appears under this name."""

    id: str
    name: str
    email: str
    handle: str
    service_account: bool


class Account:
    def __init__(self, client: Datadog) -> None:
        self._client = client

    async def validate(self) -> bool:
        """Whether the API key is good on this site."""
        try:
            return flag(await self._client.call("GET", "/api/v1/validate"), "valid")
        except (Unauthorized, Forbidden):
            return False

    async def validate_keys(self) -> bool:
        """Whether the API key and the application key are good, and belong together."""
        try:
            return text(await self._client.call("GET", "/api/v2/validate_keys"), "status").lower() == "ok"
        except (Unauthorized, Forbidden):
            return False

    async def organisation(self) -> str:
        """The organisation's own id, which stays when its keys and name change."""
        return text(await self._client.call("GET", "/api/v2/validate"), "data", "id")

    async def current_user(self) -> KeyOwner:
        answer = await self._client.call("GET", "/api/v2/current_user", permission="user_access_read")
        attributes = ("data", "attributes")
        return KeyOwner(
            id=text(answer, "data", "id") or text(answer, *attributes, "uuid"),
            name=text(answer, *attributes, "name"),
            email=text(answer, *attributes, "email"),
            handle=text(answer, *attributes, "handle"),
            service_account=flag(answer, *attributes, "service_account"),
        )
