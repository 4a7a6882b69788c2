"""Two hundred clicks a second: Slack waits three seconds for each, and then tells the person that it did not work."""

import asyncio
import json
import time
from collections import Counter
from pathlib import Path

import pytest

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


async def clicks(folder: Path, database_url: str, *, number: int, rate: float) -> list[Answer]:
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
    return read_answers(folder / "answers.json")


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


def told(answers: list[Answer], where: str) -> str:
    seconds = [answer.seconds for answer in answers]
    late = len([each for each in seconds if each > SLACK_WAITS])
    others = Counter(answer.status or "no answer" for answer in answers if answer.status != 200)
    return (
        f"{where}: {len(answers)} clicks, acknowledged p50 {share(seconds, 0.5):.2f} p99 {share(seconds, 0.99):.2f} "
        f"max {max(seconds):.2f} s, {late} over {SLACK_WAITS:.0f} s, else {dict(others)}"
    )


def all_in_time(answers: list[Answer]) -> bool:
    return all(answer.status == 200 and answer.seconds <= SLACK_WAITS for answer in answers)


async def test_a_few_clicks_a_second(tmp_path: Path, report: Report) -> None:
    answers = await clicks(tmp_path, "", number=40, rate=10)
    report(told(answers, "SQLite, 10 a second"))
    assert [answer.status for answer in answers] == [200] * 40


@pytest.mark.xfail(
    strict=True, reason="two cores, not idle: of 6000 clicks 84 within 3 s; 40 a second are kept, 100 are not"
)
@pytest.mark.faults
async def test_two_hundred_a_second_on_sqlite(tmp_path: Path, report: Report) -> None:
    answers = await clicks(tmp_path, "", number=6_000, rate=RATE)
    report(told(answers, "SQLite, 200 a second"))
    assert all_in_time(answers)


@pytest.mark.xfail(
    strict=True, reason="two cores, not idle: of 6000 clicks 42 within 3 s, 1949 acknowledged in a minute"
)
@pytest.mark.faults
async def test_two_hundred_a_second_on_postgresql(tmp_path: Path, ready_postgres_url: str, report: Report) -> None:
    answers = await clicks(tmp_path, ready_postgres_url, number=6_000, rate=RATE)
    report(told(answers, "PostgreSQL, 200 a second"))
    assert all_in_time(answers)
