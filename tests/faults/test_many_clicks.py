"""Two hundred clicks a second: Slack waits three seconds for each, and then tells the person that it did not work."""

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.investigations.tables import asks
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.payloads import base_payload
from tests.faults.bots import apart
from tests.faults.clicks import Answer, click, read_answers
from tests.faults.deeds_of_rooms import free_port
from tests.faults.figures import share
from tests.faults.storm import Alert, Storm
from tests.faults.test_campaigns import Report

pytestmark = pytest.mark.timeout(900)  # real processes, which start as slowly as the machine lets them

RATE = 200.0  # clicks a second
CLICKS_AN_ALERT = 10
SLACK_WAITS = 3.0  # seconds


class HttpStorm(Storm):
    def _in_slack(self) -> dict[str, str]:
        return {"SLACK_BOT_TOKEN": self.slack.bot_token, "SLACK_SIGNING_SECRET": self.slack.signing_secret}


@dataclass(frozen=True, slots=True)
class Told:
    answers: list[Answer]
    kept: int  # of which the bot's database knows; to the others it said that nothing was started

    def __str__(self) -> str:
        seconds = [answer.seconds for answer in self.answers]
        late = len([each for each in seconds if each > SLACK_WAITS])
        others = Counter(answer.status or "no answer" for answer in self.answers if answer.status != 200)
        return (
            f"{len(self.answers)} clicks, {self.kept} kept, answered p50 {share(seconds, 0.5):.2f} "
            f"p99 {share(seconds, 0.99):.2f} max {max(seconds):.2f} s, {late} over {SLACK_WAITS:.0f} s, else {dict(others)}"
        )

    @property
    def all_kept_in_time(self) -> bool:
        in_time = [answer for answer in self.answers if answer.status == 200 and answer.seconds <= SLACK_WAITS]
        return len(in_time) == self.kept == len(self.answers)


async def clicks(folder: Path, database_url: str, *, number: int, rate: float) -> Told:
    port = free_port()
    storm = HttpStorm(
        folder, database_url, slack=FakeSlack(), settle=20.0, BITS_HTTP_PORT=str(port), BITS_LOG_LEVEL="ERROR"
    )
    async with storm:
        bot = await storm.launch()
        async with asyncio.timeout(240):
            while "Bits Bot is ready." not in bot.said:  # noqa: ASYNC110  a file tells nobody
                await asyncio.sleep(0.1)
        payloads = folder / "payloads.txt"
        alerts = [await storm.alert() for _ in range(number // CLICKS_AN_ALERT)]
        payloads.write_text("\n".join(_payload(storm, alerts[each % len(alerts)], each) for each in range(number)))
        url = f"http://127.0.0.1:{port}/slack/events"
        await apart(click, url, storm.slack.signing_secret, rate, payloads, folder / "answers.json")
        kept = len(await storm.values(select(asks.c.key)))
    return Told(read_answers(folder / "answers.json"), kept)


def _payload(storm: Storm, alert: Alert, number: int) -> str:
    message, channel = alert.message, alert.message.channel
    told = base_payload(storm.ana, "message_action", channel_id=channel.id) | {
        "callback_id": "investigate_message",
        "action_ts": f"{time.time():.0f}.{number:06}",
        "message_ts": message.ts,
        "message": message.to_json(metadata=True),
        "channel": {"id": channel.id, "name": channel.name},
        "response_url": storm.slack.response_urls.issue(channel, storm.ana.id, message),
    }
    return json.dumps(told)


async def test_a_few_clicks_a_second(tmp_path: Path, report: Report) -> None:
    told = await clicks(tmp_path, "", number=40, rate=10)
    report(f"SQLite, 10 a second: {told}")
    assert [answer.status for answer in told.answers] == [200] * 40


@pytest.mark.faults
async def test_two_hundred_a_second_on_sqlite(tmp_path: Path, report: Report) -> None:
    told = await clicks(tmp_path, "", number=6_000, rate=RATE)
    report(f"SQLite, 200 a second: {told}")
    assert told.all_kept_in_time


@pytest.mark.faults
async def test_two_hundred_a_second_on_postgresql(tmp_path: Path, ready_postgres_url: str, report: Report) -> None:
    told = await clicks(tmp_path, ready_postgres_url, number=6_000, rate=RATE)
    report(f"PostgreSQL, 200 a second: {told}")
    assert told.all_kept_in_time
