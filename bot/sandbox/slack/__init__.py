"""A local Slack: strict where Slack is strict, with people in it. It knows nothing of the bot that talks to it."""

from bot.sandbox.slack.errors import NeverHappened, NotAcknowledged, NotOnScreen
from bot.sandbox.slack.people import Person
from bot.sandbox.slack.server import DEFAULT_SCOPES, FakeSlack
from bot.sandbox.slack.sight import Seen, SeenView
from bot.sandbox.slack.tokens import Ping
from bot.sandbox.slack.workspace import Workspace
from bot.sandbox.slack.world import Channel, Enterprise, Message

__all__ = [
    "DEFAULT_SCOPES",
    "Channel",
    "Enterprise",
    "FakeSlack",
    "Message",
    "NeverHappened",
    "NotAcknowledged",
    "NotOnScreen",
    "Person",
    "Ping",
    "Seen",
    "SeenView",
    "Workspace",
]
