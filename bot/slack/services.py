"""What the listeners lean on, in one hand."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.investigations.desk import Desk
from bot.investigations.ledger import Ledger
from bot.investigations.loops import Tasks
from bot.investigations.ports import Orgs
from bot.slack.voice import Voice
from bot.slack.workspaces import Workspaces


@dataclass(frozen=True, slots=True)
class Services:
    desk: Desk
    ledger: Ledger
    orgs: Orgs
    voice: Voice
    workspaces: Workspaces
    tasks: Tasks
    app_url: Callable[[str], str]  # of an org, for links
    keep_watching: Callable[[], None]  # wakes whoever has to act on a change
