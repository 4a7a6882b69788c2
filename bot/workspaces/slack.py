"""Installs that come and go, as Slack tells it. Like mentions, they are written down before Slack is told that we heard."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.services import Services
from bot.workspaces.departures import ACCESS_REVOKED, TOKENS_REVOKED, UNINSTALLED, Departure

logger = logging.getLogger(__name__)

ACCESS_GRANTED = "team_access_granted"

Next = Callable[[], Awaitable[None]]


def register(app: AsyncApp, services: Services) -> None:
    @app.middleware
    async def keep_departures(body: dict[str, Any], next: Next) -> None:  # noqa: A002  the name Bolt passes it by
        if body.get("type") == "event_callback":
            await _keep(services, body)
        await next()

    for kind in (UNINSTALLED, TOKENS_REVOKED, ACCESS_REVOKED, ACCESS_GRANTED):

        @app.event(kind)
        async def heard() -> None:
            """Dealt with above, before Slack was told."""


async def _keep(services: Services, body: dict[str, Any]) -> None:
    departures, granted = departures_in(body), granted_in(body)
    if services.lifecycle is None:
        for departure in departures:
            logger.error("%s: Slack has taken SLACK_BOT_TOKEN out of service; install the app again", departure.kind)
        return
    for departure in departures:
        await services.lifecycle.note(departure)
    if granted and (enterprise := _enterprise(body)):
        await services.lifecycle.granted(granted, enterprise, _time(body))


def departures_in(body: dict[str, Any]) -> list[Departure]:
    event = body.get("event") or {}
    return [
        Departure(
            key=f"{body.get('event_id', '')}:{team}",
            kind=str(event["type"]),
            team_id=team,
            enterprise_id=_enterprise(body),
            org_wide=_is_org_wide(body),
            happened_at=_time(body),
        )
        for team in _leaving(event, str(body.get("team_id") or ""))
    ]


def granted_in(body: dict[str, Any]) -> list[str]:
    event = body.get("event") or {}
    return [str(team) for team in event.get("team_ids") or ()] if event.get("type") == ACCESS_GRANTED else []


def _leaving(event: dict[str, Any], team: str) -> list[str]:
    match event.get("type"):
        case "app_uninstalled":
            return [team]
        case "tokens_revoked":
            # people's own tokens are none of ours
            return [team] if (event.get("tokens") or {}).get("bot") else []
        case "team_access_revoked":
            return [str(left) for left in event.get("team_ids") or ()]
        case _:
            return []


def _is_org_wide(body: dict[str, Any]) -> bool:
    return bool(_authorization(body).get("is_enterprise_install") or body.get("is_enterprise_install"))


def _enterprise(body: dict[str, Any]) -> str:
    return str(body.get("enterprise_id") or _authorization(body).get("enterprise_id") or "")


def _authorization(body: dict[str, Any]) -> dict[str, Any]:
    """Whose install the event is sent to."""
    return dict((body.get("authorizations") or [{}])[0])


def _time(body: dict[str, Any]) -> float:
    return float(body.get("event_time") or 0)
