"""The bot that is stopped at the worst moment: what it is about to send is written down, and has not left."""

import os
import signal
from collections.abc import Callable
from typing import Any

from bot.investigations.repository import InvestigationRepository
from bot.slack.poster import Poster


def before_the_start() -> None:
    _stop_once_after(InvestigationRepository, "triggering", lambda *_: True)


def before_the_card() -> None:
    _stop_once_after(Poster, "_may_leave", lambda delivery: delivery.post.kind == "card")


def before_the_conclusions() -> None:
    _stop_once_after(Poster, "_may_leave", lambda delivery: delivery.post.kind == "conclusions")


def before_it_takes_up_the_conclusions() -> None:
    """Claimed, and nothing more: only the time tells the bot that wakes that others have it by now."""
    _stop_once(Poster, "_deliver", lambda delivery, _: delivery.post.kind == "conclusions", after=False)


def _stop_once_after(owner: type, name: str, when: Callable[..., bool]) -> None:
    _stop_once(owner, name, when, after=True)


def _stop_once(owner: type, name: str, when: Callable[..., bool], *, after: bool) -> None:
    method = getattr(owner, name)

    def stop(*args: Any) -> None:
        if when(*args):
            setattr(owner, name, method)
            os.kill(os.getpid(), signal.SIGSTOP)

    async def stopping(self: object, *args: Any, **named: Any) -> object:
        if not after:
            stop(*args)
        outcome = await method(self, *args, **named)
        if after:
            stop(*args)
        return outcome

    setattr(owner, name, stopping)
