"""The calls of Datadog's API that the fake answers, one module a resource."""

from bot.sandbox.datadog.api import (
    account,
    alert_routes,
    case_attributes,
    case_catalog,
    case_changes,
    case_rules,
    case_talk,
    case_tickets,
    cases,
    downtimes,
    events,
    incidents,
    integrations,
    investigations,
    monitors,
    on_call,
)
from bot.sandbox.datadog.api.call import Route

# Fixed paths come before those with an id in the same place.
ROUTES: tuple[Route, ...] = (
    *account.ROUTES,
    *investigations.ROUTES,
    *monitors.ROUTES,
    *alert_routes.ROUTES,
    *events.ROUTES,
    *downtimes.ROUTES,
    *incidents.ROUTES,
    *integrations.ROUTES,
    *on_call.ROUTES,
    *case_attributes.ROUTES,
    *case_catalog.ROUTES,
    *case_rules.ROUTES,
    *case_talk.ROUTES,
    *case_tickets.ROUTES,
    *cases.ROUTES,
    *case_changes.ROUTES,
)
