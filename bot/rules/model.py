"""What a channel and a workspace have decided: which alerts come in, who may start, what it may cost.

The same types serve the code, the rules file and the database. Each member says how it is written down and has a sentence
for a person who writes it wrong; made in code, nothing is checked. Where rules are kept is not known here.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StrictInt

from bot.model import Adapter
from bot.rules.weekly import read_weekly

TRANSITIONS = ("alert", "warn", "no data", "renotify", "recovered")
"""The transitions a filter can name, in the order people read them."""
USUAL_COOLDOWN = 60  # minutes
LONGEST_COOLDOWN = 7 * 24 * 60
HIGHEST_BUDGET = 10_000
USUAL_LASTING = 30  # minutes
LONGEST_LASTING = 24 * 60
_GROUP_ID = r"S[A-Z0-9]{2,30}"
_APP_ID = r"A[A-Z0-9]{2,30}"

# -- how each member is written --------------------------------------------------------------------------------------


def tag(text: str) -> str:
    if not re.fullmatch(r"[^\s,]{1,200}", text):
        raise ValueError(f"{text[:80]!r} is no tag; write it like service:web")
    return text.lower()


def _transition(text: str) -> str:
    word = text.strip().lower()
    if word not in TRANSITIONS:
        raise ValueError(f"{text[:40]!r} is no transition; it is one of {', '.join(TRANSITIONS)}")
    return word


def is_group_id(text: str) -> bool:
    return re.fullmatch(_GROUP_ID, text) is not None


def app_id(text: str) -> str:
    if not re.fullmatch(_APP_ID, text):
        raise ValueError(f"{text[:40]!r} is no app id; it looks like A0123ABCD")
    return text


def id_like(pattern: str, otherwise: str) -> AfterValidator:
    """An id of Slack's; `otherwise` says what any other text is not."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"{text[:40]!r} {otherwise}")
        return text

    return AfterValidator(check)


def _priority(given: Any) -> Any:
    found = re.fullmatch(r"[Pp]([1-5])", given) if isinstance(given, str) else None
    return int(found[1]) if found else given


def _listed(given: Any) -> Any:
    return [given] if isinstance(given, str | int) and not isinstance(given, bool) else given


_OneOrMore = BeforeValidator(_listed)
_Once = AfterValidator(lambda given: tuple(dict.fromkeys(given)))
_ShortText = Annotated[str, Field(max_length=64)]
_Budget = Annotated[StrictInt, Field(ge=0, le=HIGHEST_BUDGET)]
_Tag = Annotated[str, AfterValidator(tag)]
_Transition = Annotated[str, AfterValidator(_transition)]
_Priority = Annotated[StrictInt, BeforeValidator(_priority), Field(ge=1, le=5)]
_Monitor = Annotated[StrictInt, Field(gt=0, lt=2**63)]
_Group = Annotated[str, id_like(_GROUP_ID, "is no user group; write its id (S…), which its page in Slack shows")]
_App = Annotated[str, id_like(_APP_ID, "is no app; write its id (A…), which its page in Slack shows")]
_User = Annotated[
    str, id_like(r"[UW][A-Z0-9]{2,30}", "is no person; write the member id (U…), which the profile in Slack shows")
]

# -- the rules -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AlertFacts:
    """What rules look at in an alert; `transition` is one of `TRANSITIONS`, lower case."""

    monitor_id: int
    group: str = ""
    priority: int | None = None
    tags: frozenset[str] = frozenset()
    transition: str = "alert"


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts are meant; an empty member means any."""

    tags: Annotated[frozenset[_Tag], _OneOrMore] = frozenset()
    priorities: Annotated[frozenset[_Priority], _OneOrMore] = frozenset()
    monitors: Annotated[frozenset[_Monitor], _OneOrMore] = frozenset()
    transitions: Annotated[frozenset[_Transition], _OneOrMore] = frozenset()

    def matches(self, alert: AlertFacts) -> bool:
        """True when every given member fits; of tags, all must be on the alert."""
        return (
            {tag.casefold() for tag in self.tags} <= {tag.casefold() for tag in alert.tags}
            and (not self.priorities or alert.priority in self.priorities)
            and (not self.monitors or alert.monitor_id in self.monitors)
            and (not self.transitions or alert.transition.casefold() in self.transitions)
        )


@dataclass(frozen=True, slots=True)
class Starters:
    """Who may start: everyone, or only these groups and people; guests and outsiders apart."""

    everyone: StrictBool = True
    groups: Annotated[tuple[_Group, ...], _OneOrMore, _Once] = ()
    users: Annotated[tuple[_User, ...], _OneOrMore, _Once] = ()
    guests: StrictBool = False
    outsiders: StrictBool = False


@dataclass(frozen=True, slots=True)
class AutoCase:
    """Which alerts get a case by themselves, and when."""

    priority: _Priority
    """The least urgent of them: 2 means P1 and P2."""
    minutes: Annotated[StrictInt, Field(ge=1, le=LONGEST_LASTING)] | None = None
    """When it lasts longer than that; None means once its investigation has conclusions."""

    def wants(self, priority: int | None) -> bool:
        return priority is not None and priority <= self.priority


@dataclass(frozen=True, slots=True)
class CaseDefaults:
    """What a new case begins with, empty where nothing is decided; and what comes of a case."""

    project: _ShortText = ""
    type: _ShortText = ""
    comments: StrictBool = False
    """Comments made in Datadog come as replies under the case's card."""
    create: AutoCase | None = None
    """Which alerts get a case by themselves; None means never."""
    close: StrictBool = False
    """Such a case is closed when its alert recovers, if nobody has touched it."""


@dataclass(frozen=True, slots=True)
class ChannelRules:
    """Everything decided for one channel; the defaults are those of a channel nobody has set."""

    workspace: str
    channel: str
    org: _ShortText = ""
    """Name of the Datadog organisation; empty means the only or default one."""
    route: AlertFilter | None = None
    """Which webhook alerts come to this channel; None means none."""
    is_default: Annotated[StrictBool, Field(alias="default")] = False
    """Takes the webhook alerts that no channel's route takes."""
    nudge: StrictBool = False
    """Buttons under Datadog's own messages."""
    datadog_apps: Annotated[tuple[_App, ...], _OneOrMore, _Once] = ()
    """Apps whose messages count as Datadog's besides those we know: for the buttons and for automatic starts."""
    auto: AlertFilter | None = None
    """Which alerts start an investigation by themselves; None means never."""
    cooldown_minutes: Annotated[StrictInt, Field(ge=0, le=LONGEST_COOLDOWN)] = USUAL_COOLDOWN
    """Between two automatic starts for the same monitor and group."""
    budget_per_day: _Budget | None = None
    case: CaseDefaults = CaseDefaults()
    starters: Starters = Starters()
    broadcast: StrictBool = False
    """The final reply is also sent to the channel."""
    digest: Annotated[str, AfterValidator(lambda text: str(read_weekly(text)) if text else "")] = ""
    """When the digest of the week comes, as `monday 09:00 Europe/Vienna`; empty means never."""
    from_file: bool = False


@dataclass(frozen=True, slots=True)
class WorkspaceRules:
    """What holds for the whole workspace."""

    workspace: str
    budget_per_day: _Budget | None = None
    automatic_share: _Budget | None = None
    """How many of the day's budget automatic starts may take; None means no share of their own."""
    admins_may_exceed: StrictBool = True
    """Workspace admins may confirm a start over budget in every channel."""
    from_file: bool = False


CHANNEL_RULES: Adapter[ChannelRules] = Adapter(ChannelRules)
WORKSPACE_RULES: Adapter[WorkspaceRules] = Adapter(WorkspaceRules)


def share_too_big(budget: int | None, share: int | None) -> bool:
    return budget is not None and share is not None and share > budget
