"""The bot that is stopped at the worst moment: what it is about to send is written down, and has not left."""

import os
import signal
from collections.abc import Callable
from typing import Any

from bot.investigations.repository import InvestigationRepository
from bot.storage.outbox import Outbox


def before_the_start() -> None:
    _stop_once_after(InvestigationRepository, "triggering", lambda *_: True)


def before_the_card() -> None:
    _stop_once_after(Outbox, "sending", lambda delivery: delivery.post.kind == "card")


def before_the_conclusions() -> None:
    _stop_once_after(Outbox, "sending", lambda delivery: delivery.post.kind == "conclusions")


def _stop_once_after(owner: type, name: str, when: Callable[..., bool]) -> None:
    method = getattr(owner, name)

    async def stopping(self: object, *args: Any, **named: Any) -> object:
        outcome = await method(self, *args, **named)
        if when(*args):
            setattr(owner, name, method)
            os.kill(os.getpid(), signal.SIGSTOP)
        return outcome

    setattr(owner, name, stopping)
