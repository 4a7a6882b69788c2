"""What investigations need of the world outside, declared here so that they run in tests with neither Slack nor Datadog."""

from typing import Protocol

from bot.datadog.investigations import InvestigationDetail, InvestigationPage
from bot.datadog.monitors import AlertEvent, Monitor
from bot.investigations.model import Failure, Investigation
from bot.model import AlertRef, Ask, EventRef, ExistingRun, MonitorRef, Place


class Bits(Protocol):
    async def trigger_alert(self, monitor_id: int, event_id: str, event_ts: int) -> str: ...
    async def trigger_question(
        self, description: str, tags: tuple[str, ...], start_ts: int | None, end_ts: int | None
    ) -> str: ...
    async def page(self, offset: int = 0, limit: int = 100, monitor_id: int | None = None) -> InvestigationPage: ...
    async def ids(self, monitor_id: int | None = None) -> frozenset[str]: ...
    async def get(self, investigation_id: str) -> InvestigationDetail: ...


class Alerts(Protocol):
    async def latest_alert(self, monitor_id: int, group: str = "") -> AlertEvent | None: ...
    async def by_id(self, event_id: str) -> AlertEvent | None: ...


class MonitorNames(Protocol):
    async def get(self, monitor_id: int) -> Monitor: ...


class Org(Protocol):
    """One Datadog organisation, as far as investigations need it."""

    @property
    def bits(self) -> Bits: ...
    @property
    def alerts(self) -> Alerts: ...
    @property
    def monitors(self) -> MonitorNames: ...


class Orgs(Protocol):
    async def get(self, org: str) -> Org | None: ...


class Threads(Protocol):
    """Reads what a thread is about: its alert, or an investigation that is linked in it."""

    async def subject_of(self, place: Place) -> AlertRef | MonitorRef | EventRef | ExistingRun | None: ...


class Notices(Protocol):
    """Answers to the one person who asked, when there is no card to say it in."""

    async def lookup_failed(self, ask: Ask, failure: Failure) -> None: ...
    async def joined(self, ask: Ask, investigation: Investigation) -> None: ...
