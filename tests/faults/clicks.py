"""A crowd that clicks at a steady rate from a process of its own, whatever the bot makes of it, and notes each answer."""

import asyncio
import json
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import aiohttp

from bot.sandbox.slack.delivery import _signed_headers

CONNECTIONS = 200  # Slack's, at once; who waits for one waits for the bot
GIVEN_UP_AFTER = 15.0  # seconds


@dataclass(frozen=True, slots=True)
class Answer:
    status: int  # 0: none
    seconds: float  # from when the click was due


def click(url: str, secret: str, rate: float, payloads: Path, answers: Path) -> None:
    """What a process of its own runs: one line of `payloads` for each click."""
    told = asyncio.run(_click(url, secret, rate, payloads.read_text().splitlines()))
    answers.write_text(json.dumps([[answer.status, answer.seconds] for answer in told]))


def read_answers(answers: Path) -> list[Answer]:
    return [Answer(int(status), float(seconds)) for status, seconds in json.loads(answers.read_text())]


async def _click(url: str, secret: str, rate: float, payloads: list[str]) -> list[Answer]:
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    patience = aiohttp.ClientTimeout(total=GIVEN_UP_AFTER)
    async with aiohttp.ClientSession(connector=connector, timeout=patience) as session:
        began = time.monotonic()
        clicks = [
            asyncio.create_task(_one(session, url, secret, payload, began + number / rate))
            for number, payload in enumerate(payloads)
        ]
        return await asyncio.gather(*clicks)


async def _one(session: aiohttp.ClientSession, url: str, secret: str, payload: str, due: float) -> Answer:
    await asyncio.sleep(due - time.monotonic())
    body = urlencode({"payload": payload})
    headers = _signed_headers(secret, body) | {"Content-Type": "application/x-www-form-urlencoded"}
    try:
        async with session.post(url, data=body.encode(), headers=headers) as response:
            await response.read()
            return Answer(response.status, time.monotonic() - due)
    except (aiohttp.ClientError, TimeoutError):
        return Answer(0, time.monotonic() - due)
