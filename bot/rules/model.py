"""What a channel and a workspace have decided: which alerts come in, who may start, what it may cost.

Pure data and pure questions about it; where rules are kept is the rule book's business.
"""

from __future__ import annotations

from dataclasses import dataclass

TRANSITIONS = ("alert", "warn", "no data", "renotify", "recovered")
"""The transitions a filter can name, in the order people read them."""
USUAL_COOLDOWN = 60  # minutes


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

    tags: frozenset[str] = frozenset()
    priorities: frozenset[int] = frozenset()
    monitors: frozenset[int] = frozenset()
    transitions: frozenset[str] = frozenset()

    def matches(self, alert: AlertFacts) -> bool:
        """True when every given member fits; of tags, all must be on the alert."""
        return (
            self._has_tags(alert.tags)
            and (not self.priorities or alert.priority in self.priorities)
            and (not self.monitors or alert.monitor_id in self.monitors)
            and (not self.transitions or alert.transition.casefold() in self.transitions)
        )

    def _has_tags(self, tags: frozenset[str]) -> bool:
        wanted = {tag.casefold() for tag in self.tags}
        return wanted <= {tag.casefold() for tag in tags}


@dataclass(frozen=True, slots=True)
class Starters:
    """Who may start: everyone, or only these groups and people; guests and outsiders apart."""

    everyone: bool = True
    groups: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    guests: bool = False
    outsiders: bool = False


@dataclass(frozen=True, slots=True)
class ChannelRules:
    """Everything decided for one channel; the defaults are those of a channel nobody has set."""

    workspace: str
    channel: str
    org: str = ""
    """Name of the Datadog organisation; empty means the only or default one."""
    route: AlertFilter | None = None
    """Which webhook alerts come to this channel; None means none."""
    is_default: bool = False
    """Takes the webhook alerts that no channel's route takes."""
    nudge: bool = False
    """Buttons under Datadog's own messages."""
    auto: AlertFilter | None = None
    """Which alerts start an investigation by themselves; None means never."""
    cooldown_minutes: int = USUAL_COOLDOWN
    """Between two automatic starts for the same monitor and group."""
    budget_per_day: int | None = None
    case_project: str = ""
    case_type: str = ""
    starters: Starters = Starters()
    broadcast: bool = False
    """The final reply is also sent to the channel."""
    from_file: bool = False


@dataclass(frozen=True, slots=True)
class WorkspaceRules:
    """What holds for the whole workspace."""

    workspace: str
    budget_per_day: int | None = None
    automatic_share: int | None = None
    """How many of the day's budget automatic starts may take; None means no share of their own."""
    admins_may_exceed: bool = True
    """Workspace admins may confirm a start over budget in every channel."""
    from_file: bool = False
