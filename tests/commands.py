"""The bot's table of commands as it is wired, with nothing behind it that could run."""

from dataclasses import fields, replace
from types import SimpleNamespace as Rooms
from typing import Any, TypeVar
from unittest.mock import MagicMock

from bot.cases.listing import CaseLists
from bot.cases.slack import CaseCommands
from bot.digest.room import ReportCommand
from bot.home.status import StatusCommand
from bot.insights.slack import AttachCommands
from bot.investigations.commands import InvestigationCommands
from bot.orgs.slack import OrgListeners
from bot.rules.slack import AuditCommand, SettingsForm
from bot.slack.commands import Commands
from bot.wiring import ALSO, HELP, add_commands

T = TypeVar("T")


def idle(room: type[T]) -> T:
    parts: Any = room
    return room(*(MagicMock() for _ in fields(parts)))


def command_table() -> Commands:
    """A room that offers commands and is not named here fails the import, so that none is left out of the documents."""
    commands = Commands(HELP, ALSO)
    asking = replace(idle(InvestigationCommands), is_command=commands.knows)
    rooms: Any = Rooms(
        investigations=Rooms(commands=asking),
        cases=Rooms(commands=idle(CaseCommands), lists=idle(CaseLists)),
        insights=Rooms(commands=idle(AttachCommands)),
        home=Rooms(status=idle(StatusCommand)),
        digest=Rooms(command=idle(ReportCommand)),
        rules=Rooms(settings_form=idle(SettingsForm)),
        audit=idle(AuditCommand),
        orgs=idle(OrgListeners),
    )
    add_commands(commands, rooms)
    return commands


COMMANDS = command_table()
