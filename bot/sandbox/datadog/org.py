"""One Datadog organisation with everything that lives in it, told apart from others by its key pair."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.sandbox.datadog.alert_routes import FakeRule, FakeVariable, FakeWebhook
from bot.sandbox.datadog.alerts import FakeAlert, FakeDowntime, FakeMonitor
from bot.sandbox.datadog.case_model import CaseManagement
from bot.sandbox.datadog.investigations import FakeInvestigation
from bot.sandbox.datadog.users import FakeUser

SCOPES = frozenset(
    {
        "bits_investigations_read",
        "bits_investigations_write",
        "monitors_read",
        "monitors_write",
        "monitors_downtime",
        "monitor_config_policy_write",
        "manage_integrations",
        "cases_read",
        "cases_write",
        "events_read",
        "incident_read",
        "incident_write",
        "on_call_page",
        "user_access_read",
        "dashboards_read",
        "security_monitoring_signals_read",
        "error_tracking_read",
    }
)


@dataclass(slots=True, eq=False)
class FakeIncident:
    id: str
    public_id: int
    title: str
    created: float
    severity: str = "SEV-3"
    state: str = "active"
    summary: str | None = None
    impact: str | None = None  # what customers notice


@dataclass(frozen=True, slots=True)
class FakePage:
    """Somebody on call was paged."""

    id: str
    team: str
    title: str
    urgency: str
    description: str = ""


@dataclass(slots=True, eq=False)
class FakeOrg:
    name: str
    id: int
    uuid: str
    api_key: str
    app_key: str
    app_url: str
    owner: FakeUser
    subdomain: str = ""
    scopes: set[str] = field(default_factory=lambda: set(SCOPES))
    general_investigations: bool = True
    monitors: dict[int, FakeMonitor] = field(default_factory=dict)
    alerts: list[FakeAlert] = field(default_factory=list)
    investigations: list[FakeInvestigation] = field(default_factory=list)
    users: dict[str, FakeUser] = field(default_factory=dict)
    incidents: list[FakeIncident] = field(default_factory=list)
    on_call_teams: set[str] = field(default_factory=set)  # their handles
    pages: list[FakePage] = field(default_factory=list)
    downtimes: dict[str, FakeDowntime] = field(default_factory=dict)
    webhooks: dict[str, FakeWebhook] = field(default_factory=dict)
    variables: dict[str, FakeVariable] = field(default_factory=dict)
    rules: dict[str, FakeRule] = field(default_factory=dict)
    case_management: CaseManagement = field(default_factory=CaseManagement)

    def alert(self, event_id: str) -> FakeAlert | None:
        return next((alert for alert in self.alerts if alert.event_id == event_id), None)

    def investigation(self, investigation_id: str) -> FakeInvestigation | None:
        return next((run for run in self.investigations if run.id == investigation_id), None)

    def everyone(self) -> Iterator[FakeUser]:
        yield self.owner
        yield from self.users.values()

    def person(self, user_id: str) -> FakeUser | None:
        return next((user for user in self.everyone() if user.id == user_id), None)
