"""Cases, their projects and types, and the JSON Datadog was seen to answer for them. No HTTP here."""

from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.datadog import times
from bot.sandbox.datadog.users import FakeUser

INSIGHT_TYPES = (
    "SECURITY_SIGNAL",
    "MONITOR",
    "EVENT_CORRELATION",
    "ERROR_TRACKING",
    "CLOUD_COST_RECOMMENDATION",
    "INCIDENT",
    "SENSITIVE_DATA_SCANNER_ISSUE",
    "EVENT",
    "WATCHDOG_STORY",
    "WIDGET",
    "SECURITY_FINDING",
    "INSIGHT_SCORECARD_CAMPAIGN",
    "RESOURCE_POLICY",
    "APM_RECOMMENDATION",
    "SCM_URL",
    "PROFILING_DOWNSIZING_EXPERIMENT",
)
PRIORITIES = ("P1", "P2", "P3", "P4", "P5", "NOT_DEFINED")
GROUPS = {
    "open": ("OPEN", "SG_OPEN"),
    "in_progress": ("IN_PROGRESS", "SG_IN_PROGRESS"),
    "closed": ("CLOSED", "SG_CLOSED"),
}
_PREFIX = "00000000-0000-0000-0000-00000000"


@dataclass(frozen=True, slots=True)
class FakeCaseType:
    id: str
    name: str
    word: str = "TUNKNOWN"
    description: str = ""
    emoji: str = ""
    internal: bool = False
    deleted: float | None = None
    in_progress: tuple[str, ...] = ("In Progress",)
    closed: tuple[str, ...] = ("Closed",)

    def names(self, group: str) -> tuple[str, ...]:
        return {"open": ("Open",), "in_progress": self.in_progress, "closed": self.closed}[group]

    def group_of(self, status_name: str) -> str | None:
        return next((group for group in GROUPS if status_name in self.names(group)), None)

    def json(self) -> dict[str, Any]:
        config = {
            group: {
                "status_options": [{"name": name} for name in self.names(group)],
                "default": self.names(group)[0],
            }
            for group in GROUPS
        }
        attributes: dict[str, Any] = {"deleted_at": times.nanos(self.deleted)} if self.deleted else {}
        attributes |= {"description": self.description, "emoji": self.emoji, "internal": self.internal}
        attributes |= {"name": self.name, "statuses_config": config}
        return {"id": self.id, "type": "case_type", "attributes": attributes}


STANDARD = FakeCaseType(f"{_PREFIX}0001", "Standard", "STANDARD", "General tasks and investigations", internal=True)
SECURITY = FakeCaseType(f"{_PREFIX}0003", "Security", "SECURITY", "Used by Datadog Security products", internal=True)
CHANGE_REQUEST = FakeCaseType(
    f"{_PREFIX}0004",
    "Change Request",
    "CHANGE_REQUEST",
    "Request and track approvals",
    internal=True,
    in_progress=("Pending Approval", "Approved", "Implementing"),
    closed=("Completed", "Cancelled", "Declined"),
)
BUILT_IN = (
    STANDARD,
    FakeCaseType(f"{_PREFIX}0002", "Event Management", "EVENT_MANAGEMENT", "Triage correlated alerts", internal=True),
    SECURITY,
    CHANGE_REQUEST,
    FakeCaseType(f"{_PREFIX}0005", "Error Tracking", "ERROR_TRACKING_ISSUE", "Errors to look into", internal=True),
    FakeCaseType(f"{_PREFIX}0007", "Logs Optimization Insights", "LOGS_OPTIMIZATION", "Logs to trim", internal=True),
    FakeCaseType(
        "f580bda9-aed7-49b6-ad70-5707d1c183fa",
        "World",
        description="Worldwide case type",
        emoji="\N{EARTH GLOBE EUROPE-AFRICA}",
        deleted=1_759_323_038.54792,
    ),
)


@dataclass(slots=True, eq=False)
class FakeProject:
    id: str
    key: str
    name: str
    custom_types: tuple[str, ...] = ()
    last_number: int = 41

    def json(self) -> dict[str, Any]:
        attributes = {
            "key": self.key,
            "name": self.name,
            "restricted": False,
            "enabled_custom_case_types": list(self.custom_types),
            "settings": {},
        }
        return {"id": self.id, "type": "project", "attributes": attributes}


ATTRIBUTE_TYPES = ("URL", "TEXT", "NUMBER", "SELECT")


@dataclass(slots=True, eq=False)
class FakeCustomAttribute:
    """What an organisation adds to the cases of one type."""

    id: str
    type_id: str
    key: str
    name: str
    type: str = "TEXT"
    is_multi: bool = False
    description: str = ""
    options: tuple[str, ...] = ()  # of a select

    def json(self) -> dict[str, Any]:
        attributes: dict[str, Any] = {
            "case_type_id": self.type_id,
            "description": self.description,
            "display_name": self.name,
            "is_multi": self.is_multi,
            "key": self.key,
            "type": self.type,
        }
        if self.options:
            attributes["type_data"] = {"options": [{"value": value} for value in self.options]}
        return {"id": self.id, "type": "custom_attribute", "attributes": attributes}


@dataclass(slots=True, eq=False)
class FakeView:
    """A saved search of a project."""

    id: str
    name: str
    query: str
    project: FakeProject
    created: float
    created_by: FakeUser

    def json(self) -> dict[str, Any]:
        attributes = {"created_at": times.micros(self.created), "name": self.name, "query": self.query}
        related = {
            "created_by": {"data": {"id": self.created_by.id, "type": "user"}},
            "project": {"data": {"id": self.project.id, "type": "project"}},
        }
        return {"id": self.id, "type": "view", "attributes": attributes, "relationships": related}


@dataclass(slots=True, eq=False)
class Cell:
    """One comment in a case's timeline."""

    id: str
    message: str
    author: FakeUser
    created: float
    modified: float | None = None

    def json(self) -> dict[str, Any]:
        attributes: dict[str, Any] = {
            "author": self.author.author(),
            "cell_content": {"message": self.message},
            "created_at": times.nanos(self.created),
            "type": "COMMENT",
        }
        if self.modified:
            attributes["modified_at"] = times.nanos(self.modified)
        return {"id": self.id, "type": "timeline_cell", "attributes": attributes}


@dataclass(slots=True, eq=False)
class FakeCase:
    id: str
    number: int
    key: str
    title: str
    project: FakeProject
    type: FakeCaseType
    created: float
    created_by: FakeUser
    description: str = ""
    priority: str = "NOT_DEFINED"
    status_name: str = "Open"
    assignee: FakeUser | None = None
    attributes: dict[str, list[str]] = field(default_factory=dict)
    custom_attributes: dict[str, dict[str, Any]] = field(default_factory=dict)
    insights: dict[tuple[str, str], str] = field(default_factory=dict)  # (type, resource_id) -> ref
    comments: list[Cell] = field(default_factory=list)
    watchers: list[FakeUser] = field(default_factory=list)
    incidents: list[str] = field(default_factory=list)
    notebooks: int = 0
    tickets: dict[str, Any] = field(default_factory=dict)  # jira_issue, service_now_ticket
    creation_source: str = "MANUAL"
    resolved_reason: str = ""  # of a security case
    due_date: str = ""
    modified: float | None = None
    modified_by: FakeUser | None = None
    closed: float | None = None
    archived: float | None = None

    @property
    def group(self) -> str:
        return self.type.group_of(self.status_name) or "open"

    @property
    def status(self) -> str:
        return GROUPS[self.group][0]

    def people(self) -> list[FakeUser]:
        known = {user.id: user for user in (self.created_by, self.assignee, self.modified_by) if user}
        return list(known.values())

    def data(self, *, show_insights: bool = True, fine: bool = False) -> dict[str, Any]:
        """The case as a JSON:API resource; what is not set is absent, never null."""
        attributes = self._core() | self._moments(fine=fine)
        people = {"created_by": self.created_by, "assignee": self.assignee, "modified_by": self.modified_by}
        related = {name: {"data": {"id": user.id, "type": "user"}} for name, user in people.items() if user}
        related["project"] = {"data": {"id": self.project.id, "type": "project"}}
        if show_insights:
            attributes["insights"] = [
                {"type": kind, "ref": ref, "resource_id": resource} for (kind, resource), ref in self.insights.items()
            ]
        return {"id": self.id, "type": "case", "attributes": attributes, "relationships": related}

    def _core(self) -> dict[str, Any]:
        due = {"due_date": self.due_date} if self.due_date else {}
        if self.resolved_reason:
            due["security_resolved_reason"] = self.resolved_reason
        return (
            {
                "attributes": dict(self.attributes),
                "comment_count": len(self.comments),
                "creation_source": self.creation_source,
                "custom_attributes": dict(self.custom_attributes),
                "description": self.description,
                "internal_id": self.id,
                "key": self.key,
                "merge_status": "NOT_MERGED",
                "priority": self.priority,
                "public_id": str(self.number),
                "status": self.status,
                "status_group": GROUPS[self.group][1],
                "status_name": self.status_name,
                "title": self.title,
                "type": self.type.word,
                "type_id": self.type.id,
            }
            | due
            | self.tickets
        )

    def _moments(self, *, fine: bool) -> dict[str, str]:
        moments = {"modified_at": self.modified, "closed_at": self.closed, "archived_at": self.archived}
        write = times.nanos if fine else times.micros
        set_ones = {name: write(ts) for name, ts in moments.items() if ts is not None}
        return {"created_at": times.micros(self.created)} | set_ones


@dataclass(slots=True, eq=False)
class FakeCaseRule:
    """Tells its recipients of what happens to the cases of a project."""

    id: str
    project: FakeProject
    recipients: list[dict[str, Any]]
    triggers: list[dict[str, Any]]
    is_enabled: bool = True
    query: str = ""

    def json(self) -> dict[str, Any]:
        query = {"query": self.query} if self.query else {}
        attributes = {"is_enabled": self.is_enabled, "recipients": self.recipients, "triggers": self.triggers} | query
        return {"id": self.id, "type": "notification_rule", "attributes": attributes}

    def hears(self, trigger: str) -> bool:
        return self.is_enabled and any(each["type"] == trigger for each in self.triggers)

    @property
    def webhooks(self) -> list[str]:
        return [each["data"]["name"] for each in self.recipients if each["type"] == "HTTP"]


@dataclass(slots=True, eq=False)
class FakeJira:
    """A Jira that is connected, with the kinds of issue that somebody has set up for it."""

    account_id: str
    url: str = "https://example.atlassian.net"
    project_id: str = "10000"
    issue_type_id: str = "10004"
    templates: dict[str, str] = field(default_factory=dict)  # id -> name
    last_number: int = 6


@dataclass(slots=True, eq=False)
class CaseManagement:
    """All cases of an organisation, with what they are sorted into."""

    cases: dict[str, FakeCase] = field(default_factory=dict)
    projects: dict[str, FakeProject] = field(default_factory=dict)
    links: list[dict[str, Any]] = field(default_factory=list)
    favorites: list[str] = field(default_factory=list)
    types: dict[str, FakeCaseType] = field(default_factory=lambda: {kind.id: kind for kind in BUILT_IN})
    custom_attributes: dict[str, FakeCustomAttribute] = field(default_factory=dict)
    views: dict[str, FakeView] = field(default_factory=dict)
    rules: dict[str, FakeCaseRule] = field(default_factory=dict)
    rules_name_a_field: bool = False  # a rule about attributes says about which
    jira: FakeJira | None = None
    service_now: dict[str, str] = field(default_factory=dict)  # name of an instance -> id
    last_number: int = 99_260
    show_insights: bool = True
    reasons_of_closed_only: bool = False  # a resolved reason is taken after a security case is closed, not before

    def find(self, id_or_key: str) -> FakeCase | None:
        if id_or_key in self.cases:
            return self.cases[id_or_key]
        return next((case for case in self.cases.values() if case.key == id_or_key), None)

    def next_number(self) -> int:
        self.last_number += 1
        return self.last_number

    def next_key(self, project: FakeProject) -> str:
        project.last_number += 1
        return f"{project.key}-{project.last_number}"
