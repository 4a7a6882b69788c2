"""A local Slack: strict where Slack is strict, with people in it. It knows nothing of the bot that talks to it.

Each part leans on those before it only: `world` and `team` are what there is; `platform` is Slack with its rules and its way to
the app; `responses` are the app's answers; `visible` is what one person sees, `payloads`, `interactions` and `people` what they do;
`webapi` is what Slack answers, and `webapi.server` all of it behind a port.
"""

from bot.sandbox.slack.errors import NeverHappened, NotAcknowledged, NotOnScreen
from bot.sandbox.slack.mrkdwn import Ping
from bot.sandbox.slack.people import Person, Workspace
from bot.sandbox.slack.platform import DEFAULT_SCOPES
from bot.sandbox.slack.visible import Outcome, SeenView
from bot.sandbox.slack.webapi.server import FakeSlack
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
