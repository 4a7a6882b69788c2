"""What every room is built on: the settings, the database and its time, this process's name, and the ways to speak in Slack."""

from dataclasses import dataclass

from bot.config import Settings
from bot.slack.clients import WorkspaceClients
from bot.slack.people import People
from bot.slack.replies import Modals, Replies
from bot.slack.senders import Senders
from bot.storage.engine import Database
from bot.storage.inbox import Inbox
from bot.storage.outbox import Outbox
from bot.storage.workers import Tasks, Timing


@dataclass(frozen=True, slots=True)
class Foundation:
    """Only a room's `build` sees it; each part gets just what it needs, as plain arguments."""

    settings: Settings
    database: Database
    inbox: Inbox
    timing: Timing
    owner: str  # this process, where work is claimed
    tasks: Tasks
    workspaces: WorkspaceClients
    replies: Replies
    modals: Modals
    people: People
    outbox: Outbox
    senders: Senders
