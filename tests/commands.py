"""The bot's table of commands as it is wired, with nothing behind it that could run."""

from unittest.mock import MagicMock

from bot.cases.slack import CaseCommands
from bot.listeners import add_commands
from bot.orgs.slack import OrgListeners
from bot.slack.commands import Commands
from bot.wiring import ALSO, HELP


def command_table() -> Commands:
    commands = Commands(HELP, ALSO)
    nothing = MagicMock()
    services = MagicMock(commands=commands)
    services.cases.commands = CaseCommands(*[nothing] * 7)
    add_commands(services, OrgListeners(*[nothing] * 6))
    return commands


COMMANDS = command_table()
