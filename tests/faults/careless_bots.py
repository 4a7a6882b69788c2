"""Bots that break one of the rules each. Only to prove that the trials would notice; `blind_bot.py` has another."""

import asyncio
from contextlib import nullcontext
from typing import Any

from slack_bolt.response import BoltResponse

from bot.cases.creation import CaseMaker
from bot.investigations.trigger_worker import TriggerWorker
from bot.slack import poster
from bot.slack.requests import SlackRequests
from tests.faults.freezing_bot import before_it_takes_up_the_conclusions

LATE = 0.7  # seconds


def starts_again_on_a_guess() -> None:
    setattr(TriggerWorker, "_look", TriggerWorker._begin)  # noqa: B010  it is not the worker's own


def creates_again_on_a_guess() -> None:
    async def hopes(_worker: CaseMaker, _claim: object) -> bool:
        return True

    setattr(CaseMaker, "_look", CaseMaker._begin)  # noqa: B010  the same
    setattr(CaseMaker, "_surely_not_there", hopes)  # noqa: B010  the same


def forgets_the_time_and_freezes() -> None:
    setattr(poster, "before", lambda _: nullcontext())  # noqa: B010  the same
    before_it_takes_up_the_conclusions()


def acknowledges_before_it_writes() -> None:
    dispatch = SlackRequests._dispatch
    under_way: set[asyncio.Task[BoltResponse]] = set()

    async def deal_with(requests: SlackRequests, payload: dict[str, Any]) -> BoltResponse:
        await asyncio.sleep(LATE)
        return await dispatch(requests, payload)

    async def acknowledge(requests: SlackRequests, payload: dict[str, Any]) -> BoltResponse:
        under_way.add(asyncio.create_task(deal_with(requests, payload)))
        return BoltResponse(status=200, body="")

    setattr(SlackRequests, "_dispatch", acknowledge)  # noqa: B010  the same


def acknowledges_first_and_hides_what_fails() -> None:
    async def says_nothing(
        _requests: SlackRequests, _error: Exception, _body: object, _response: object
    ) -> BoltResponse:
        return BoltResponse(status=200, body="")

    acknowledges_before_it_writes()
    setattr(SlackRequests, "_failed", says_nothing)  # noqa: B010  the same
