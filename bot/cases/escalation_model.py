"""What people escalate a case to, what they chose for it, and how far it is. Plain data."""

from dataclasses import dataclass
from enum import StrEnum

from bot.datadog.escalations import Created
from bot.datadog.trouble import Trouble
from bot.model import Place


class EscalationKind(StrEnum):
    INCIDENT = "incident"
    PAGE = "page"
    JIRA = "jira"
    SERVICE_NOW = "service_now"
    NOTEBOOK = "notebook"


class EscalationState(StrEnum):
    ORDERED = "ordered"
    SENDING = "sending"  # sent to Datadog; what came of it is to be seen
    MADE = "made"  # it is there; its link to the case follows, or Datadog is still at work on it
    DONE = "done"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"


ACTIVE = (EscalationState.ORDERED, EscalationState.SENDING, EscalationState.MADE)


@dataclass(frozen=True, slots=True)
class EscalationForm:
    """What was chosen and written, as submitted; each kind has some of it."""

    title: str = ""
    severity: str = ""
    impact: str = ""  # what customers notice
    team: str = ""
    urgency: str = ""
    message: str = ""
    template: str = ""  # of a Jira issue, its id
    instance: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Escalation:
    id: int
    ref: str  # stands in an incident's summary: how we know it again
    case_row: int
    place: Place
    person: str
    kind: EscalationKind
    form: EscalationForm
    state: EscalationState
    made: Created | None = None
    problem: Trouble | None = None  # of one that is done: what did not work beside it
    begun_at: float | None = None
    attempt: int = 0

    @property
    def mark(self) -> str:
        return f"ref {self.ref}."
