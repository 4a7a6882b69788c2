"""The bot's table of commands as it is wired, with nothing behind it that could run."""

from dataclasses import fields, replace
from typing import Any, TypeVar
from unittest.mock import MagicMock

from bot.cases.listing import CaseLists
from bot.cases.slack import CaseCommands
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
    commands, rooms = Commands(HELP, ALSO), MagicMock(audit=idle(AuditCommand), orgs=idle(OrgListeners))
    rooms.investigations.commands = replace(idle(InvestigationCommands), is_command=commands.knows)
    rooms.cases.commands = idle(CaseCommands)
    rooms.cases.lists = idle(CaseLists)
    rooms.insights.commands = idle(AttachCommands)
    rooms.home.status = idle(StatusCommand)
    rooms.rules.settings_form = idle(SettingsForm)
    add_commands(commands, rooms)
    return commands


COMMANDS = command_table()
