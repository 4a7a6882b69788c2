"""How rules are written down, in the rules file and in the database alike: names, limits, and what does not fit together.

A sentence for a person belongs to each check; where a rule stands in a file is not known here.
"""

import re
from collections.abc import Callable
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from bot.rules.model import TRANSITIONS, USUAL_COOLDOWN, AlertFilter, ChannelRules, Starters, WorkspaceRules

HIGHEST_BUDGET = 10_000
LONGEST_COOLDOWN = 7 * 24 * 60  # minutes

_TAG = re.compile(r"[^\s,]{1,200}\Z")
_CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{2,30}\Z")
_CHANNEL_NAME = re.compile(r"#?(?P<name>[^\s#@,:;<>|&\"'A-Z]{1,80})\Z")


def _each(check: Callable[[str], str]) -> AfterValidator:
    return AfterValidator(lambda given: list(dict.fromkeys(check(one) for one in given)))


def tag(text: str) -> str:
    if not _TAG.match(text):
        raise ValueError(f"{text[:80]!r} is no tag; write it like service:web")
    return text.lower()


def transition(text: str) -> str:
    word = text.strip().lower()
    if word not in TRANSITIONS:
        raise ValueError(f"{text[:40]!r} is no transition; it is one of {', '.join(TRANSITIONS)}")
    return word


def is_group_id(text: str) -> bool:
    return re.fullmatch(r"S[A-Z0-9]{2,30}", text) is not None


def group_id(text: str) -> str:
    if not is_group_id(text):
        raise ValueError(f"{text[:40]!r} is no user group; write its id (S…), which its page in Slack shows")
    return text


def user_id(text: str) -> str:
    if not re.fullmatch(r"[UW][A-Z0-9]{2,30}", text):
        raise ValueError(f"{text[:40]!r} is no person; write the member id (U…), which the profile in Slack shows")
    return text


def channel(text: str) -> str:
    """An id as it is; a name in small letters, with its #."""
    if _CHANNEL_ID.match(text):
        return text
    found = _CHANNEL_NAME.match(text)
    if found is None:
        raise ValueError(f'{text[:60]!r} is no channel; write its id (C…) or its name in quotes ("#alerts")')
    return f"#{found['name']}"


def _workspace_id(text: str) -> str:
    if text and not re.fullmatch(r"[TE][A-Z0-9]{2,30}", text):
        raise ValueError(f"{text[:40]!r} is no workspace id (T…)")
    return text


def _listed(given: Any) -> Any:
    return [given] if isinstance(given, str | int) and not isinstance(given, bool) else given


def _priority(given: Any) -> Any:
    found = re.fullmatch(r"[Pp]([1-5])", given) if isinstance(given, str) else None
    return int(found[1]) if found else given


Priority = Annotated[int, BeforeValidator(_priority), Field(ge=1, le=5)]
MonitorId = Annotated[int, Field(gt=0, lt=2**63)]
Budget = Annotated[int, Field(ge=0, le=HIGHEST_BUDGET)]
OneOrMore = BeforeValidator(_listed)


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class WrittenFilter(_Written):
    """Which alerts; what is left out means any."""

    tags: Annotated[list[str], OneOrMore, _each(tag)] = []
    priorities: Annotated[list[Priority], OneOrMore] = []
    monitors: Annotated[list[MonitorId], OneOrMore] = []
    transitions: Annotated[list[str], OneOrMore, _each(transition)] = []

    def meant(self) -> AlertFilter:
        return AlertFilter(
            frozenset(self.tags), frozenset(self.priorities), frozenset(self.monitors), frozenset(self.transitions)
        )

    @classmethod
    def of(cls, alerts: AlertFilter) -> Self:
        return cls(
            tags=sorted(alerts.tags),
            priorities=sorted(alerts.priorities),
            monitors=sorted(alerts.monitors),
            transitions=[word for word in TRANSITIONS if word in alerts.transitions],
        )


class WrittenCase(_Written):
    project: Annotated[str, Field(max_length=64)] = ""
    type: Annotated[str, Field(max_length=64)] = ""


class WrittenStarters(_Written):
    everyone: bool = True
    groups: Annotated[list[str], OneOrMore, _each(group_id)] = []
    users: Annotated[list[str], OneOrMore, _each(user_id)] = []
    guests: bool = False
    outsiders: bool = False

    def meant(self) -> Starters:
        return Starters(self.everyone, tuple(self.groups), tuple(self.users), self.guests, self.outsiders)

    @classmethod
    def of(cls, starters: Starters) -> Self:
        return cls(
            everyone=starters.everyone,
            groups=list(starters.groups),
            users=list(starters.users),
            guests=starters.guests,
            outsiders=starters.outsiders,
        )


class WrittenRules(_Written):
    """One channel's rules without the channel."""

    org: Annotated[str, Field(max_length=64)] = ""
    route: WrittenFilter | None = None
    default: bool = False
    nudge: bool = False
    auto: WrittenFilter | None = None
    cooldown_minutes: Annotated[int, Field(ge=0, le=LONGEST_COOLDOWN)] = USUAL_COOLDOWN
    budget_per_day: Budget | None = None
    case: WrittenCase = WrittenCase()
    starters: WrittenStarters = WrittenStarters()
    broadcast: bool = False

    def meant(self, workspace: str, channel_id: str, *, from_file: bool = False) -> ChannelRules:
        return ChannelRules(
            workspace=workspace,
            channel=channel_id,
            org=self.org,
            route=self.route.meant() if self.route is not None else None,
            is_default=self.default,
            nudge=self.nudge,
            auto=self.auto.meant() if self.auto is not None else None,
            cooldown_minutes=self.cooldown_minutes,
            budget_per_day=self.budget_per_day,
            case_project=self.case.project,
            case_type=self.case.type,
            starters=self.starters.meant(),
            broadcast=self.broadcast,
            from_file=from_file,
        )

    @classmethod
    def of(cls, rules: ChannelRules) -> Self:
        return cls(
            org=rules.org,
            route=WrittenFilter.of(rules.route) if rules.route is not None else None,
            default=rules.is_default,
            nudge=rules.nudge,
            auto=WrittenFilter.of(rules.auto) if rules.auto is not None else None,
            cooldown_minutes=rules.cooldown_minutes,
            budget_per_day=rules.budget_per_day,
            case=WrittenCase(project=rules.case_project, type=rules.case_type),
            starters=WrittenStarters.of(rules.starters),
            broadcast=rules.broadcast,
        )


class WrittenChannel(WrittenRules):
    """One entry of the rules file."""

    channel: Annotated[str, AfterValidator(channel)]
    workspace: Annotated[str, AfterValidator(_workspace_id)] = ""


class WrittenWorkspace(_Written):
    workspace: Annotated[str, AfterValidator(_workspace_id)] = ""
    budget_per_day: Budget | None = None
    automatic_share: Budget | None = None
    admins_may_exceed: bool = True

    @model_validator(mode="after")
    def _share_within_budget(self) -> Self:
        if share_too_big(self.budget_per_day, self.automatic_share):
            raise ValueError("automatic_share is more than budget_per_day, of which it is a part")
        return self

    def meant(self, workspace: str, *, from_file: bool = False) -> WorkspaceRules:
        return WorkspaceRules(
            workspace, self.budget_per_day, self.automatic_share, self.admins_may_exceed, from_file=from_file
        )

    @classmethod
    def of(cls, rules: WorkspaceRules) -> Self:
        return cls(
            budget_per_day=rules.budget_per_day,
            automatic_share=rules.automatic_share,
            admins_may_exceed=rules.admins_may_exceed,
        )


class WrittenBook(_Written):
    """The whole rules file."""

    workspaces: list[WrittenWorkspace] = []
    channels: list[WrittenChannel] = []


def share_too_big(budget: int | None, share: int | None) -> bool:
    return budget is not None and share is not None and share > budget
