"""The bot without its look: it repeats every post it is not sure of. Only to prove that the trials would notice."""

from bot.slack.clients import BotClient
from bot.slack.poster import Poster
from bot.storage.outbox import Delivery
from tests.faults.bots import patient


async def sees_nothing(_poster: Poster, _bot_client: BotClient, _delivery: Delivery) -> None:
    return None


def blind() -> None:
    setattr(Poster, "_find_ours", sees_nothing)  # noqa: B010  it is not the poster's own


def patient_and_blind() -> None:
    patient()
    blind()
