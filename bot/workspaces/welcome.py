"""The one message to whoever installed the bot: the next step."""

from bot.slack.message import Message, sentences
from bot.wording import APP, COMMAND, DATADOG, INVESTIGATE


def welcome(*, has_org: bool) -> Message:
    if has_org:
        next_step = (
            f"It uses the {DATADOG} organisation it was set up with, so you can start: choose “{INVESTIGATE} with Bits” "
            f"in the menu of an alert's message, or type `{COMMAND} help`."
        )
    else:
        next_step = (
            f"Next, connect {DATADOG}: type `{COMMAND} connect`. After that, `{COMMAND} help` shows what it can do."
        )
    return sentences(
        f"*{APP} is installed.* Thank you. {next_step}", "To use it in a private channel, invite it there."
    )
