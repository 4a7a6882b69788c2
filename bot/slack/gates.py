"""Who may do a thing in Slack: every handler is registered with its gate. Knows no rules; whoever hands in the gatekeeper does."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from bot.model import Place
from bot.slack.blocks import Message
from bot.slack.interactions import Interaction


class Right(StrEnum):
    LOOK = "look"  # see what Datadog holds, and work with it
    START = "start"  # what costs, or changes who is alerted
    MANAGE = "manage"  # see and change the rules


async def _where_it_happened(interaction: Interaction) -> Place:
    return interaction.place


@dataclass(frozen=True, slots=True)
class May:
    """Asked before the handler runs: who may not hears why instead."""

    right: Right
    doing: str  # completes "may …"
    where: Callable[[Interaction], Awaitable[Place]] = _where_it_happened  # a window knows the channel it belongs to


@dataclass(frozen=True, slots=True)
class Judged:
    """The handler runs for everybody and does nothing by itself: who may is asked further on."""

    by: str


@dataclass(frozen=True, slots=True)
class Open:
    """For everybody."""

    why: str


Gatekeeper = Callable[[May, Place, str], Awaitable[Message | None]]  # why a person may not, for that person
