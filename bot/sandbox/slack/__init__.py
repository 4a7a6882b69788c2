"""A local Slack: strict where Slack is strict, with people in it. It knows nothing of the bot that talks to it."""

from bot.sandbox.slack.errors import NeverHappened, NotAcknowledged, NotOnScreen
from bot.sandbox.slack.mrkdwn import Ping
from bot.sandbox.slack.people import Person, Workspace
from bot.sandbox.slack.platform import DEFAULT_SCOPES
from bot.sandbox.slack.server import FakeSlack
from bot.sandbox.slack.visible import Outcome, SeenView
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
    "Outcome",
    "Person",
    "Ping",
    "SeenView",
    "Workspace",
]
