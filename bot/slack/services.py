"""What the listeners lean on, in one hand."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.investigations.desk import Desk
from bot.investigations.ledger import Ledger
from bot.investigations.loops import Tasks
from bot.investigations.ports import Orgs
from bot.investigations.sightings import Sightings
from bot.slack.lifecycle import Lifecycle
from bot.slack.threads import ThreadReader
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
    sightings: Sightings
    threads: ThreadReader
    app_url: Callable[[str], str]  # of an org, for links
    keep_watching: Callable[[], None]  # wakes whoever has to act on a change
    lifecycle: Lifecycle | None = None  # none with the one workspace of the settings
