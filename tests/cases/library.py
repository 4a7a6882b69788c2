"""Cases, places and forms the tests of the case room begin with."""

from datetime import UTC, datetime
from typing import Any

from bot.cases.model import CaseContent
from bot.datadog.cases import Case, Insight, Person
from bot.model import Place

THREAD = Place("T1", "C1", "1.0")
CHANNEL = Place("T1", "C1")
ELSEWHERE = Place("T1", "C2", "7.0")
FOREIGN = Place("T2", "C9", "9.0")


def case(number: int = 42, *, at: float = 0.0, **members: Any) -> Case:
    """A case as Datadog answers it; `at` counts seconds since it was first seen."""
    modified = datetime.fromtimestamp(1_700_000_000 + at, UTC)
    values: dict[str, Any] = {"title": "Disk full", "status": "OPEN", "status_name": "Open", "priority": "P2"}
    values |= {"insights": (), "modified_at": modified}
    return Case(id=f"uuid-{number}", key=f"CASEM-{number}", **(values | members))


def content(title: str = "Disk full", **members: Any) -> CaseContent:
    values: dict[str, Any] = {"description": "", "project_id": "p1", "project_key": "CASEM", "type_id": "t1"}
    return CaseContent(title=title, **(values | members))


MONITOR = Insight("MONITOR", "/monitors/1", "1")
ANA = Person("u-ana", "Ana Lytic", "ana@example.com")
