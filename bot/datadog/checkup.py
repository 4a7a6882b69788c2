"""What a pair of keys is good for, told by harmless reads only. For connecting an organisation and for the doctor.

Whether something may be written can't be told without writing it; nobody here tries.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.datadog.client import Datadog, flag, member, text
from bot.datadog.errors import DatadogError, Forbidden, NotSent, RateLimited, Unauthorized
from bot.network import Obstacle

INVESTIGATIONS_READ = "bits_investigations_read"
ESSENTIAL = frozenset({INVESTIGATIONS_READ})  # without them nothing works

_Probe = Callable[[Datadog], Awaitable[Any]]

# Each permission to read, and the cheapest call Datadog refuses without it.
_PROBES: dict[str, _Probe] = {
    INVESTIGATIONS_READ: lambda client: client.call("GET", "/api/v2/bits-ai/investigations", params={"page[limit]": 1}),
    "monitors_read": lambda client: client.call("GET", "/api/v1/monitor/search", params={"per_page": 1}),
    "events_read": lambda client: client.call("GET", "/api/v2/events", params={"page[limit]": 1}),
    "cases_read": lambda client: client.call("GET", "/api/v2/cases", params={"page[size]": 1}),
}
WRITES = ("bits_investigations_write", "cases_write", "monitors_downtime")


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

    async def owner_name(self) -> str:
        """Whoever the application key belongs to: all we do in Datadog appears under this name. Empty where none is told."""
        answer = await self._client.call("GET", "/api/v2/current_user", permission="user_access_read")
        told = member(answer, "data", "attributes")
        name = text(told, "name") or text(told, "handle") or text(told, "email")
        return f"{name} (service account)" if name and flag(told, "service_account") else name


class KeyProblem(StrEnum):
    """Why the keys can't be used at all."""

    API_KEY = "api_key"  # not known on this site
    APP_KEY = "app_key"  # not known, or of another organisation
    ESSENTIAL = "essential"  # good, but may not even read investigations
    NOT_REACHED = "not_reached"  # Datadog did not answer: nothing can be told now
    BUSY = "busy"  # Datadog limits how often it may be asked


@dataclass(frozen=True, slots=True)
class Checkup:
    problem: KeyProblem | None = None
    org_uuid: str = ""
    owner_name: str = ""  # of the application key; empty where Datadog does not tell
    lacking: tuple[str, ...] = ()  # permissions that Datadog refuses
    unclear: tuple[str, ...] = ()  # permissions about which Datadog did not answer usefully
    obstacle: Obstacle | None = None  # on the way there, where that is why it did not answer


async def check_up(client: Datadog) -> Checkup:
    """All questions at once: somebody waits for the answer. Raises nothing of Datadog's.

    What a site does not offer at all is lacking and no fault of the keys.
    """
    account = Account(client)
    api_key, both_keys, org_uuid, owner, *probed = await asyncio.gather(
        _told(account.validate()),
        _told(account.validate_keys()),
        _told(account.organisation()),
        _told(account.owner_name()),
        *(_told(probe(client)) for probe in _PROBES.values()),
    )
    if problem := _problem(api_key, KeyProblem.API_KEY) or _problem(both_keys, KeyProblem.APP_KEY):
        return Checkup(
            problem, obstacle=next((each.obstacle for each in (api_key, both_keys) if isinstance(each, NotSent)), None)
        )
    outcomes = dict(zip(_PROBES, probed, strict=True))
    lacking = tuple(name for name, said in outcomes.items() if isinstance(said, Unauthorized | Forbidden))
    return Checkup(
        problem=KeyProblem.ESSENTIAL if any(_is_essential(name, outcomes[name]) for name in lacking) else None,
        org_uuid=org_uuid if isinstance(org_uuid, str) else "",
        owner_name=owner if isinstance(owner, str) else "",
        lacking=lacking,
        unclear=tuple(n for n, said in outcomes.items() if isinstance(said, DatadogError) and n not in lacking),
    )


def _is_essential(name: str, refusal: Any) -> bool:
    return name in ESSENTIAL and not (isinstance(refusal, Forbidden) and refusal.site)


async def _told(question: Awaitable[Any]) -> Any:
    try:
        return await question
    except DatadogError as error:
        return error


def _problem(answer: Any, wrong: KeyProblem) -> KeyProblem | None:
    if isinstance(answer, RateLimited):
        return KeyProblem.BUSY
    if isinstance(answer, DatadogError):
        return KeyProblem.NOT_REACHED
    return None if answer else wrong
