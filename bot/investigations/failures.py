"""What an error of Datadog's, or the loss of its organisation, means for an investigation: the kind of failure the card explains."""

from bot.datadog.errors import (
    BadRequest,
    DatadogError,
    Forbidden,
    NotFound,
    NotSent,
    RateLimited,
    Refused,
    Unauthorized,
)
from bot.investigations.model import Failure, FailureKind
from bot.investigations.repository import InvestigationRepository

_KINDS: dict[type[DatadogError], FailureKind] = {
    BadRequest: FailureKind.BAD_REQUEST,
    Unauthorized: FailureKind.UNAUTHORIZED,
    Forbidden: FailureKind.FORBIDDEN,
    NotFound: FailureKind.NOT_FOUND,
    RateLimited: FailureKind.RATE_LIMITED,
    NotSent: FailureKind.UNAVAILABLE,
}


def failure_of(error: Exception) -> Failure:
    kind = FailureKind.REFUSED if isinstance(error, Refused) else FailureKind.UNAVAILABLE
    kind = next((value for known, value in _KINDS.items() if isinstance(error, known)), kind)
    detail = error.detail if isinstance(error, DatadogError) else ""
    permission = error.permission if isinstance(error, Forbidden) else ""
    return Failure(kind, detail, permission)


async def end_those_of_org(repository: InvestigationRepository, org: str) -> None:
    """Nobody can follow them any more: the threads that wait for them are told."""
    for investigation_id in await repository.running_in(org):
        await repository.follow_failed(investigation_id, Failure(FailureKind.NO_ORG))
