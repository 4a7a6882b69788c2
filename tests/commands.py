"""The bot's table of commands as it is wired, with nothing behind it that could run."""

from dataclasses import fields
from typing import Any, TypeVar
from unittest.mock import MagicMock

from bot.cases.commands import CaseCommands
from bot.home.status import StatusCommand
from bot.listeners import add_commands
from bot.orgs.slack import OrgListeners
from bot.rules.slack import AuditCommand, SettingsForm
from bot.slack.commands import Commands
from bot.wiring import ALSO, HELP

T = TypeVar("T")


def idle(room: type[T]) -> T:
    parts: Any = room
    return room(*(MagicMock() for _ in fields(parts)))


def command_table() -> Commands:
    commands = Commands(HELP, ALSO)
    services = MagicMock(
        commands=commands, status=idle(StatusCommand), settings_form=idle(SettingsForm), audit=idle(AuditCommand)
    )
    services.cases.commands = idle(CaseCommands)
    add_commands(services, idle(OrgListeners))
    return commands


COMMANDS = command_table()
