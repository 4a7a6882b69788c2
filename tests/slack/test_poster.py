"""Posts and edits, exactly once, whatever Slack answers or does not answer: told by what stands in the thread."""

import asyncio
import math
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest
from aiohttp import ClientConnectorError, ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from bot.alerts.tables import ALERT_CARD
from bot.investigations.tables import CARD, CONCLUSIONS
from bot.sandbox.slack import FakeSlack as LocalSlack
from bot.slack.blocks import Message
from bot.slack.clients import PatientClient
from bot.slack.pace import AHEAD
from bot.slack.poster import AT_ONCE, GIVE_UP_AFTER, LONGEST_WAIT, LOOK_FOR, OLD, Kind, Poster, Urgency
from bot.slack.waits import Waits
from bot.storage.engine import Database
from bot.storage.leases import Leases, new_owner
from bot.storage.outbox import Delivery, NewPost, Outbox, claiming, due, enqueue, show_anew
from bot.storage.tables import deliveries
from bot.storage.workers import Timing
from tests.clock import Clock
from tests.investigations.slack import FakeSlack, says, slow_down
from tests.investigations.world import Fate, Network
from tests.meter import Meter
from tests.pg import ready
from tests.workers import close, recover

SETTLE = 20.0
NO_CONNECTION = ClientConnectorError(None, OSError(111, "refused"))  # type: ignore[arg-type]


class Notes:
    """A kind of message that says what a test wants it to say."""

    urgency: ClassVar[Urgency] = Urgency.CARD

    def __init__(self) -> None:
        self.text: str | None = "hello"
        self.blocks: list[dict[str, Any]] = [{"type": "divider"}]
        self.refusals: list[str] = []
        self.breaks_on: set[str] = set()

    async def message(self, delivery: Delivery, *, may_repeat: bool) -> Message | None:
        if delivery.post.key in self.breaks_on:
            raise ValueError("a bug of ours")
        if self.text is None:
            return None
        return Message(self.text + (" (maybe again)" if may_repeat else ""), self.blocks)

    async def refused(self, delivery: Delivery, code: str) -> None:
        self.refusals.append(f"{delivery.post.key}: {code}")


class Answers(Notes):
    urgency = Urgency.ANSWER


class Alerts(Notes):
    urgency = Urgency.ALERT


class Requests:
    """A poster with its outbox, a Slack that does what it is told, and a clock."""

    def __init__(self, database: Database, clock: Clock, timing: Timing) -> None:
        self.database = database
        self.clock = clock
        self.timing = timing
        self.slack = FakeSlack(Network(clock))
        self.notes, self.answers, self.alerts = Notes(), Answers(), Alerts()
        self.slept: list[float] = []
        self.go_on = asyncio.Event()
        self.poster = self.a_poster()

    def a_poster(self) -> Poster:
        outbox = Outbox(self.database, lease=self.timing.lease)
        kinds: dict[str, Kind] = {CARD: self.notes, CONCLUSIONS: self.answers, ALERT_CARD: self.alerts}
        waits = Waits(self.database, self.clock)
        return Poster(
            self.database, self.timing, outbox, self.slack, kinds, waits, self.clock, self._sleep, owner=new_owner()
        )

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.wind(seconds)
        for _ in range(2):
            await asyncio.sleep(0)  # whoever counts the time by the loop's clock gets to see that it is up

    async def owes(
        self,
        key: str = "a",
        *,
        lane: str = "",
        channel: str = "C1",
        thread: str = "1.1",
        kind: str = CARD,
        requester: str = "UANN",
    ) -> None:
        owed = NewPost(key, kind, lane or f"lane {key}", 1, "T1", channel, thread, requester)
        async with self.database.transaction() as connection:
            await enqueue(self.database, connection, owed)

    async def changes(self, text: str) -> None:
        self.notes.text = text
        async with self.database.transaction() as connection:
            await show_anew(connection, CARD, 1)

    async def workers(self, *, patience: float = 0.0) -> None:
        """As its loop would: it looks, and again whenever it wants to within so many seconds."""
        self.poster.alarm.ring()
        until = self.clock.now + patience
        while (at := self.poster.alarm.at) <= max(until, self.clock.now):
            self.clock.now = max(at, self.clock.now)
            self.poster.alarm.off()
            await self.poster.step()
            while running := self.poster._tasks._tasks:
                await asyncio.wait(set(running))

    async def later(self, seconds: float) -> None:
        self.clock.wind(seconds)
        self.slack.network.land()
        await self.workers()

    async def states(self) -> list[str]:
        async with self.database.transaction() as connection:
            return list((await connection.execute(deliveries.select().order_by(deliveries.c.id))).scalars("state"))

    async def rows(self) -> list[Any]:
        async with self.database.transaction() as connection:
            return list((await connection.execute(deliveries.select().order_by(deliveries.c.id))).all())

    def expect(self, call: str, *fates: Fate | Exception) -> None:
        self.slack.network.expect(call, *fates)

    @property
    def calls(self) -> Any:
        return self.slack.network.calls

    @property
    def thread(self) -> list[str]:
        return self.slack.said()

    @property
    def posted(self) -> list[str]:
        """The keys of what was posted, in order."""
        return [post["metadata"]["event_payload"]["key"] for post in self.slack.posts]

    def fills(self, number: int, *, thread: str = "1.1") -> None:
        """Others write into the thread."""
        for each in range(number):
            words = {"channel": "C1", "thread_ts": thread, "blocks": [], "text": f"{each}", "metadata": {}}
            self.slack.messages.append(self.slack.message(words))


@pytest.fixture
async def requests() -> AsyncIterator[Requests]:
    clock = Clock()
    async with ready(Database("sqlite+aiosqlite:///:memory:", clock=clock)) as database:
        yield Requests(database, clock, Timing(settle=SETTLE, pace=0))


async def test_a_post_carries_our_key_and_unfurls_nothing(requests: Requests) -> None:
    await requests.owes("card:ABC:1")
    await requests.workers()
    (post,) = requests.slack.posts
    assert post["metadata"] == {"event_type": "bits_bot_post", "event_payload": {"key": "card:ABC:1"}}
    assert (post["channel"], post["thread_ts"], post["parse"]) == ("C1", "1.1", "none")
    assert post["unfurl_links"] is post["unfurl_media"] is False
    assert requests.calls["look"] == 0  # a look costs a rate-limited call: never in normal running


async def test_outside_a_thread_no_thread_is_named(requests: Requests) -> None:
    await requests.owes(thread="")
    await requests.workers()
    assert requests.slack.posts[0]["thread_ts"] is None


async def test_posted_once_however_often_we_work(requests: Requests) -> None:
    await requests.owes()
    for _ in range(3):
        await requests.later(60)
    assert requests.calls["post"] == 1


async def test_a_change_is_an_edit_in_place(requests: Requests) -> None:
    await requests.owes()
    await requests.workers()
    await requests.changes("world")
    await requests.workers()
    assert requests.thread == ["world"]
    assert (requests.calls["post"], requests.calls["edit"]) == (1, 1)


async def test_a_change_that_shows_the_same_is_not_sent(requests: Requests) -> None:
    await requests.owes()
    await requests.workers()
    await requests.changes("hello")
    await requests.workers()
    assert requests.calls["edit"] == 0
    await requests.changes("world")
    await requests.workers()
    assert requests.thread == ["world"]


async def test_slack_says_wait_and_we_wait_as_long(requests: Requests) -> None:
    await requests.owes()
    requests.expect("post", slow_down(30))
    await requests.workers()
    await requests.later(29)
    assert requests.calls["post"] == 1
    await requests.later(1)
    assert requests.thread == ["hello"]
    assert requests.calls["look"] == 0  # a 429 was certainly not carried out


async def test_the_wait_in_slacks_own_answer_is_kept(requests: Requests) -> None:
    """Through slack_sdk's own client: what it makes of the headers is no dict."""
    async with LocalSlack() as slack, ClientSession() as session:
        client = AsyncWebClient(slack.bot_token, base_url=slack.api_url, session=session, retry_handlers=[])
        channel = slack.workspace.add_channel("alerts")
        requests.slack.client = client
        slack.break_next("chat.postMessage", times=2, retry_after=30)
        await requests.owes(channel=channel.id, thread="")
        await requests.workers()
        for seconds, calls in ((29, 1), (1, 2), (29, 2), (1, 3)):
            await requests.later(seconds)
            assert len(slack.calls_to("chat.postMessage")) == calls
        assert [message.text for message in channel.messages] == ["hello"]


@pytest.mark.parametrize("replies", [0, 40])
async def test_where_slack_limits_reads_a_post_is_found_in_a_long_thread(requests: Requests, replies: int) -> None:
    """By slack_sdk's own client, from a Slack that gives fifteen messages a minute."""
    async with LocalSlack(clock=requests.clock, monotonic=requests.clock) as slack, ClientSession() as session:
        slack.reads_limited = True
        channel = slack.workspace.add_channel("alerts")
        requests.slack.client = PatientClient(
            slack.bot_token, base_url=slack.api_url, session=session, retry_handlers=[]
        )
        requests.slack.client.waits, requests.slack.client.workspace = requests.poster.waits, "T1"
        ana = slack.workspace.add_user("ana")
        parent = await ana.say("an alert", channel)
        for number in range(replies):
            await ana.say(f"{number}", channel, thread=parent)
        slack.break_next("chat.postMessage", drop="after")
        requests.slack.ids = slack.bot_user_id, slack.installs[0].bot_id
        await requests.owes(channel=channel.id, thread=parent.ts)
        await requests.workers()
        for _ in range(20):
            await requests.later(30)
        assert [reply.text for reply in parent.replies if not reply.text.isdigit()] == ["hello"]
        assert len(slack.calls_to("conversations.replies")) <= 2 * 3
        assert await requests.states() == ["sent"]


async def test_no_connection_is_tried_again_without_a_look(requests: Requests) -> None:
    await requests.owes()
    requests.expect("post", NO_CONNECTION)
    await requests.workers()
    await requests.later(LONGEST_WAIT)
    assert requests.thread == ["hello"]
    assert requests.calls["look"] == 0


OPEN_ENDS: list[Exception] = [TimeoutError(), says("", status=502)]  # tests/slack/test_errors.py has them all


@pytest.mark.parametrize("error", OPEN_ENDS)
async def test_an_answer_that_was_lost_after_the_post_landed(requests: Requests, error: Exception) -> None:
    await requests.owes()
    requests.expect("post", Fate(error, lands=True))
    await requests.workers()
    await requests.later(SETTLE - 1)
    assert requests.calls["look"] == 0
    await requests.later(1)
    assert requests.calls["look"] == 1
    await requests.later(60)
    assert requests.thread == ["hello"]
    assert requests.calls["post"] == 1


@pytest.mark.parametrize("error", OPEN_ENDS)
async def test_an_answer_that_was_lost_with_the_post(requests: Requests, error: Exception) -> None:
    await requests.owes()
    requests.expect("post", Fate(error))
    await requests.workers()
    await requests.later(SETTLE)
    assert requests.thread == ["hello"]
    assert (requests.calls["post"], requests.calls["look"]) == (2, 1)


async def test_a_post_that_lands_at_the_last_moment(requests: Requests) -> None:
    await requests.owes()
    requests.expect("post", Fate(TimeoutError(), lands=True, lands_in=SETTLE))
    await requests.workers()
    await requests.later(SETTLE)
    await requests.later(60)
    assert requests.thread == ["hello"]


async def test_what_is_found_is_brought_up_to_date(requests: Requests) -> None:
    await requests.owes()
    requests.expect("post", Fate(TimeoutError(), lands=True))
    await requests.workers()
    await requests.changes("world")
    await requests.later(SETTLE)
    await requests.workers()
    assert requests.thread == ["world"]
    assert requests.calls["post"] == 1


@pytest.mark.parametrize("trouble", [slow_down(30), says("internal_error")])
async def test_a_look_that_fails_is_repeated_before_anything_is_posted(requests: Requests, trouble: Exception) -> None:
    """The post did land. A bot that took "wait" for "not posted" would post it a second time."""
    await requests.owes()
    requests.expect("post", Fate(TimeoutError(), lands=True))
    requests.expect("look", trouble, trouble)
    await requests.workers()
    for _ in range(12):
        await requests.later(SETTLE)
    assert requests.thread == ["hello"]
    assert requests.calls["post"] == 1
    assert requests.calls["look"] == 3


async def test_where_we_may_not_read_the_post_says_that_it_may_be_the_second(requests: Requests) -> None:
    await requests.owes()
    requests.expect("post", Fate(TimeoutError(), lands=True))
    requests.expect("look", says("missing_scope"))
    await requests.workers()
    await requests.later(SETTLE)
    assert requests.thread == ["hello", "hello (maybe again)"]


async def test_only_a_message_of_ours_with_our_key_is_taken_for_ours(requests: Requests) -> None:
    await requests.owes("mine")
    requests.expect("post", Fate(TimeoutError()))
    await requests.workers()
    key = {"event_type": "bits_bot_post", "event_payload": {"key": "mine"}}
    arguments = {"channel": "C1", "thread_ts": "1.1", "blocks": []}
    requests.slack.write(arguments | {"text": "an imitation", "metadata": key})["bot_id"] = "BOTHER"
    other = {"event_type": "bits_bot_post", "event_payload": {"key": "another"}}
    requests.slack.write(arguments | {"text": "another of ours", "metadata": other})
    foreign = {"event_type": "something_else", "event_payload": {"key": "mine"}}
    requests.slack.write(arguments | {"text": "of another kind", "metadata": foreign})
    await requests.later(SETTLE)
    assert requests.thread == ["an imitation", "another of ours", "of another kind", "hello"]


async def test_ours_is_found_pages_deep_in_a_busy_thread(requests: Requests) -> None:
    await requests.owes()
    requests.expect("post", Fate(TimeoutError(), lands=True, lands_in=1))
    await requests.workers()
    requests.fills(250)
    await requests.later(SETTLE)
    await requests.workers()
    assert requests.calls["post"] == 1
    assert requests.thread.count("hello") == 1


async def test_in_a_direct_message_we_look_as_well(requests: Requests) -> None:
    await requests.owes(channel="UANN", thread="")
    requests.expect("post", Fate(TimeoutError(), lands=True))
    await requests.workers()
    await requests.later(SETTLE)
    await requests.workers()
    assert requests.slack.said("UANN", "") == ["hello"]


async def test_killed_after_the_post(requests: Requests) -> None:
    await requests.owes()
    await _die_at(requests, "from post")
    requests.poster = requests.a_poster()
    await recover(requests.database, requests.poster)
    await requests.later(SETTLE)
    await requests.workers()
    assert requests.thread == ["hello"]
    assert requests.calls["post"] == 1


async def test_killed_before_the_post(requests: Requests) -> None:
    await requests.owes()
    await _die_at(requests, "to post")
    requests.poster = requests.a_poster()
    await recover(requests.database, requests.poster)
    await requests.later(SETTLE - 1)
    assert requests.thread == []
    await requests.later(1)
    assert requests.thread == ["hello"]


async def test_another_replica_does_not_take_it_while_the_dead_one_s_post_may_land(requests: Requests) -> None:
    await requests.owes()
    await _die_at(requests, "to post")
    sent_at_the_latest = requests.clock.now + requests.timing.effect
    requests.poster = requests.a_poster()
    while not requests.calls["look"]:
        await requests.later(1)
    assert requests.clock.now >= sent_at_the_latest + SETTLE


async def _die_at(requests: Requests, place: str) -> None:
    reached = asyncio.Event()

    async def stop(leg: str) -> None:
        if leg == place:
            reached.set()
            await asyncio.Event().wait()

    requests.slack.network.between = stop
    await requests.poster.step()
    await reached.wait()
    requests.slack.network.between = None
    for task in set(requests.poster._tasks._tasks):
        task.cancel()
        await asyncio.wait({task})


async def test_a_clean_stop_finishes_the_post_under_way(requests: Requests) -> None:
    await requests.owes()
    await requests.poster.step()
    await requests.poster.finish(5)
    assert requests.thread == ["hello"]
    assert await requests.states() == ["sent"]


async def test_a_stop_that_can_t_wait_hands_the_open_post_back(requests: Requests) -> None:
    await requests.owes()

    async def stuck(leg: str) -> None:
        if leg == "from post":
            await asyncio.Event().wait()

    requests.slack.network.between = stuck
    await requests.poster.step()
    await close(requests.database, requests.poster, 0.05)
    requests.slack.network.between = None
    requests.poster = requests.a_poster()
    await requests.later(SETTLE)
    await requests.workers()
    assert requests.thread == ["hello"]
    assert requests.calls["post"] == 1


async def test_a_refusal_is_told_and_not_repeated(requests: Requests) -> None:
    await requests.owes()
    requests.expect("post", says("a_code_of_tomorrow"))
    await requests.workers()
    await requests.later(600)
    assert requests.notes.refusals == ["a: a_code_of_tomorrow"]
    assert requests.calls["post"] == 1
    assert await requests.states() == ["refused"]


async def test_a_workspace_that_is_gone_is_not_spoken_to(requests: Requests) -> None:
    owed = NewPost("a", CARD, "lane", 1, "TGONE", "C1", "1.1", "UANN")
    async with requests.database.transaction() as connection:
        await enqueue(requests.database, connection, owed)
    await requests.workers()
    assert await requests.states() == ["refused"]
    assert not requests.calls


async def test_nothing_left_to_show_is_not_posted(requests: Requests) -> None:
    await requests.owes()
    requests.notes.text = None
    await requests.workers()
    await requests.later(60)
    assert not requests.calls
    assert await requests.states() == ["refused"]


async def test_blocks_slack_does_not_like_become_plain_words(requests: Requests) -> None:
    await requests.owes()
    requests.expect("post", says("msg_blocks_too_long"))
    await requests.workers()
    (message,) = requests.slack.messages
    assert (message["text"], message["blocks"]) == ("hello", [])
    requests.expect("edit", says("invalid_blocks"))
    await requests.changes("world")
    await requests.workers()
    assert (message["text"], message["blocks"]) == ("world", [])


async def test_words_slack_does_not_like_either_are_refused_and_told(requests: Requests) -> None:
    await requests.owes()
    requests.expect("post", says("invalid_blocks"), says("msg_too_long"))
    await requests.workers()
    assert requests.notes.refusals == ["a: msg_too_long"]


async def test_a_deleted_card_is_not_written_again(requests: Requests) -> None:
    await requests.owes()
    await requests.workers()
    requests.slack.messages.clear()
    await requests.changes("world")
    await requests.workers()
    await requests.later(600)
    assert requests.thread == []
    assert (requests.calls["edit"], requests.calls["post"]) == (1, 1)
    assert requests.notes.refusals == []


@pytest.mark.parametrize("trouble", [slow_down(20), TimeoutError()])
async def test_an_edit_is_simply_repeated(requests: Requests, trouble: Exception) -> None:
    await requests.owes()
    await requests.workers()
    requests.expect("edit", trouble)
    await requests.changes("world")
    await requests.workers()
    await requests.later(LONGEST_WAIT)
    assert requests.thread == ["world"]
    assert requests.calls["look"] == 0


async def test_a_post_slack_puts_off_for_a_day_is_given_up_and_told(requests: Requests) -> None:
    await requests.owes()
    requests.expect("post", NO_CONNECTION, NO_CONNECTION)
    await requests.workers()
    await requests.later(GIVE_UP_AFTER + 1)
    assert requests.notes.refusals == ["a: no_connection"]


async def test_an_old_card_still_follows_after_one_rate_limit(requests: Requests) -> None:
    await requests.owes()
    await requests.workers()
    await requests.later(GIVE_UP_AFTER + 1)
    requests.expect("edit", slow_down(5))
    await requests.changes("world")
    await requests.workers()
    await requests.later(5)
    assert requests.thread == ["world"]


async def test_one_channel_waits_another_does_not(requests: Requests) -> None:
    await requests.owes("a", channel="C1")
    await requests.owes("b", channel="C2")
    held, go_on, posted_elsewhere = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def hold(leg: str) -> None:
        if leg == "to post" and not held.is_set():
            held.set()
            await go_on.wait()
        elif leg == "from post":
            posted_elsewhere.set()

    requests.slack.network.between = hold
    await requests.poster.step()
    await posted_elsewhere.wait()
    assert requests.slack.said("C2") == ["hello"]
    go_on.set()
    await requests.workers()
    assert requests.slack.said("C1") == ["hello"]


async def test_a_bug_in_one_message_does_not_keep_the_others_of_its_channel(requests: Requests) -> None:
    for key in ("a", "b", "c"):
        await requests.owes(key)
    requests.notes.breaks_on = {"a"}
    await requests.workers()
    assert await requests.states() == ["pending", "sent", "sent"]
    requests.notes.breaks_on = set()
    await requests.later(requests.timing.lease)
    assert await requests.states() == ["sent", "sent", "sent"]


async def test_what_became_due_while_a_channel_was_busy_need_not_wait_for_the_sweep(requests: Requests) -> None:
    await requests.owes("a")
    held, go_on = asyncio.Event(), asyncio.Event()

    async def hold(leg: str) -> None:
        if leg == "to post" and not held.is_set():
            held.set()
            await go_on.wait()

    requests.slack.network.between = hold
    await requests.poster.step()
    await held.wait()
    await requests.owes("b")
    await requests.poster.step()  # it finds the channel busy
    requests.poster.alarm.off()
    go_on.set()
    await requests.poster._tasks.finish(10)
    assert requests.poster.alarm.at <= requests.clock.now


async def test_a_thread_s_next_message_need_not_wait_for_the_sweep(requests: Requests) -> None:
    await requests.owes("first", lane="thread 1")
    await requests.owes("second", lane="thread 1")
    requests.poster.alarm.off()
    await requests.poster.step()
    await requests.poster._tasks.finish(10)
    assert requests.thread == ["hello"]
    assert requests.poster.alarm.at <= requests.clock.now


async def test_with_nothing_left_to_do_the_poster_sleeps(requests: Requests) -> None:
    await requests.owes()
    requests.poster.alarm.off()
    await requests.workers()
    assert requests.poster.alarm.at == math.inf


async def test_a_thread_s_messages_go_out_in_order(requests: Requests) -> None:
    await requests.owes("first", lane="thread 1")
    await requests.owes("second", lane="thread 1")
    requests.expect("post", slow_down(5))
    await requests.workers()
    assert requests.thread == []
    await requests.later(5)
    await requests.workers()
    keys = [post["metadata"]["event_payload"]["key"] for post in requests.slack.posts]
    assert keys == ["first", "second"]


async def test_posts_into_one_channel_keep_their_distance(requests: Requests) -> None:
    requests.timing = Timing(settle=SETTLE, pace=5)
    requests.poster = requests.a_poster()
    began = requests.clock.now
    for key in ("a", "b", "c"):
        await requests.owes(key)
    left_at: list[float] = []

    async def note(leg: str) -> None:
        if leg == "to post":
            left_at.append(requests.clock.now - began)

    requests.slack.network.between = note
    await requests.workers(patience=100)
    assert left_at == pytest.approx([0, 5, 10])

    await requests.owes("elsewhere", channel="C2")
    await requests.owes("d")
    await requests.workers(patience=100)
    await requests.owes("e")
    await requests.workers(patience=100)
    assert left_at[3:] == pytest.approx([10, 15, 20], abs=AHEAD)
    assert max(requests.slept) <= AHEAD
    assert requests.calls["look"] == 0


async def test_what_waits_for_the_pace_costs_no_looks_at_the_database(requests: Requests) -> None:
    """Nobody asks again and again, and channels that are free at almost the same time are served together."""
    requests.timing = Timing(settle=SETTLE, pace=5)
    requests.poster = requests.a_poster()
    for channel in range(20):
        for number in range(3):
            await requests.owes(f"{channel}.{number}", channel=f"C{channel}")
    meter = Meter(requests.database)
    await requests.workers(patience=100)
    assert len(requests.slack.posts) == 60
    assert meter.transactions <= 3 * 3 + 1
    assert meter.statements <= 3 * 6 + 2


async def test_a_wait_for_the_pace_is_no_reason_to_take_the_next_one(requests: Requests) -> None:
    """What goes out later is not marked as if it went out now: after a crash nothing but the first would be looked for."""
    requests.timing = Timing(settle=SETTLE, pace=5)
    requests.poster = requests.a_poster()
    for key in ("a", "b", "c"):
        await requests.owes(key)
    await _die_at(requests, "to post")
    assert await requests.states() == ["sending", "pending", "pending"]


# -- where a thread may be read once a minute, fifteen messages at a time ---------------------------------------------


async def _look_once_a_minute(requests: Requests, minutes: int) -> None:
    """Slack lets one reading through and puts the next off for a minute."""
    requests.slack.page = 15
    reads = requests.slack.network
    for _ in range(minutes):
        reads.fates["look"].clear()
        reads.expect("look", Fate(), slow_down(60))
        await requests.later(60)


@pytest.mark.parametrize("thread", ["1.1", ""])
@pytest.mark.parametrize("before", [0, 40])
async def test_a_long_look_goes_on_where_it_stopped(requests: Requests, thread: str, before: int) -> None:
    """Ours stands at the far end of what there is to read, or at the near one."""
    requests.expect("post", Fate(TimeoutError(), lands=True, lands_in=1))
    await requests.owes(thread=thread)
    await requests.workers()
    requests.fills(before, thread=thread)
    requests.clock.wind(1)
    requests.slack.network.land()
    requests.fills(40 - before, thread=thread)
    await _look_once_a_minute(requests, 5)
    assert requests.calls["post"] == 1
    assert requests.slack.said("C1", thread).count("hello") == 1
    assert await requests.states() == ["sent"]
    assert requests.calls["look"] <= 2 * 3


@pytest.mark.parametrize("thread", ["1.1", ""])
async def test_a_long_look_that_finds_nothing_ends_in_one_post(requests: Requests, thread: str) -> None:
    requests.expect("post", Fate(TimeoutError()))
    await requests.owes(thread=thread)
    await requests.workers()
    requests.fills(40, thread=thread)
    await _look_once_a_minute(requests, 2)
    assert requests.slack.said("C1", thread).count("hello") == 0
    await _look_once_a_minute(requests, 3)
    assert requests.slack.said("C1", thread).count("hello") == 1
    assert requests.calls["post"] == 2


async def test_another_replica_goes_on_with_a_look(requests: Requests) -> None:
    requests.expect("post", Fate(TimeoutError(), lands=True, lands_in=1))
    await requests.owes()
    await requests.workers()
    requests.fills(40)
    await requests.later(1)
    await _look_once_a_minute(requests, 2)
    requests.poster = requests.a_poster()
    await _look_once_a_minute(requests, 2)
    assert (requests.thread.count("hello"), requests.calls["post"]) == (1, 1)


async def test_a_second_look_starts_anew(requests: Requests) -> None:
    """What was read before the second try can't hold it; what was read for the first may."""
    requests.expect("post", Fate(TimeoutError()), Fate(TimeoutError(), lands=True))
    await requests.owes()
    await requests.workers()
    requests.fills(20)
    await _look_once_a_minute(requests, 4)
    assert requests.calls["post"] == 2
    await _look_once_a_minute(requests, 4)
    assert (requests.thread.count("hello"), requests.calls["post"]) == (1, 2)


async def test_a_post_told_to_wait_after_a_look_needs_no_second_one(requests: Requests) -> None:
    requests.expect("post", Fate(TimeoutError()), slow_down(30))
    await requests.owes()
    await requests.workers()
    await requests.later(SETTLE)
    await requests.later(30)
    assert requests.thread == ["hello"]
    assert requests.calls["look"] == 1


async def test_a_look_that_never_comes_to_its_end_says_that_it_may_be_the_second(requests: Requests) -> None:
    requests.expect("post", Fate(TimeoutError(), lands=True))
    requests.expect("look", *(slow_down(60) for _ in range(200)))
    await requests.owes()
    await requests.workers()
    for _ in range(int(LOOK_FOR / 60)):
        await requests.later(60)
    assert requests.thread == ["hello"]
    await requests.later(120)
    assert requests.thread == ["hello", "hello (maybe again)"]


# -- while nobody answers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["look", "edit"])
async def test_tries_in_an_outage_grow_apart(requests: Requests, call: str) -> None:
    if call == "edit":
        await requests.owes()
        await requests.workers()
        await requests.changes("world")
    else:
        requests.expect("post", Fate(TimeoutError(), lands=True))
        await requests.owes()
    requests.expect(call, *(says("", status=503) for _ in range(1000)))
    for _ in range(600):
        await requests.later(1)
    assert requests.calls[call] <= 6
    requests.slack.network.fates[call].clear()
    await requests.later(LONGEST_WAIT)
    await requests.workers()
    assert requests.thread == ["world" if call == "edit" else "hello"]
    assert requests.calls["post"] == 1


async def _dies_over_it(requests: Requests) -> None:
    leases = Leases(requests.database, deliveries, owner=new_owner(), lease=requests.timing.lease)
    async with requests.database.transaction() as connection:
        assert await leases.claim(connection, claiming(leases, requests.database.moment, due()), 1)
    requests.clock.wind(requests.timing.lease + 0.1)


@pytest.mark.parametrize("call", ["look", "edit"])
async def test_how_many_died_over_it_delays_nothing(requests: Requests, call: str) -> None:
    requests.timing = Timing(settle=2, pace=0)
    requests.poster = requests.a_poster()
    await requests.owes()
    if call == "edit":
        await requests.workers()
        await requests.later(600)
        await requests.changes("world")
    for _ in range(8):
        await _dies_over_it(requests)
    requests.expect(call, says("", status=503))
    await requests.workers()
    assert requests.calls[call] == 1
    await requests.later(8 * requests.timing.lease + 1)
    assert requests.calls[call] == 2
    assert requests.thread == ["world" if call == "edit" else "hello"]


# -- people before machines -------------------------------------------------------------------------------------------


async def _storm(requests: Requests, number: int = 60) -> None:
    requests.timing = Timing(settle=SETTLE, pace=1)
    requests.poster = requests.a_poster()
    for each in range(number):
        await requests.owes(f"alert {each}", kind=ALERT_CARD, requester="", thread="")


def _when(requests: Requests, posts: int) -> asyncio.Event:
    """Set when so many posts are on their way, with the next one held."""
    reached = asyncio.Event()

    async def watch(leg: str) -> None:
        if leg == "to post" and len(requests.slack.posts) == posts and not reached.is_set():
            reached.set()
            await requests.go_on.wait()

    requests.slack.network.between = watch
    return reached


@pytest.mark.parametrize("after", [0, 5, 15])
async def test_a_click_overtakes_the_alerts_of_its_channel(requests: Requests, after: int) -> None:
    await _storm(requests)
    reached = _when(requests, after)
    working = asyncio.create_task(requests.workers(patience=200))
    await reached.wait()
    await requests.owes("click", thread="9.9")
    requests.go_on.set()
    await working
    assert len(requests.slack.posts) == 60 + 1
    assert requests.posted.index("click") <= after + 1
    assert requests.posted[:after] == [f"alert {each}" for each in range(after)]


async def test_conclusions_go_before_cards_and_cards_before_alerts(requests: Requests) -> None:
    await _storm(requests, 3)
    await requests.owes("click", thread="9.9")
    await requests.owes("by itself", thread="7.7", requester="")
    await requests.owes("answer", thread="8.8", kind=CONCLUSIONS)
    await requests.workers(patience=200)
    assert requests.posted == ["answer", "click", "by itself", "alert 0", "alert 1", "alert 2"]


async def test_a_thread_keeps_its_order_though_an_answer_is_more_urgent(requests: Requests) -> None:
    await _storm(requests, 3)
    await requests.owes("card", lane="thread", thread="9.9")
    await requests.owes("answer", lane="thread", thread="9.9", kind=CONCLUSIONS)
    while len(requests.slack.posts) < 5:
        await requests.workers(patience=200)
    assert requests.posted.index("card") < requests.posted.index("answer")


async def test_an_alert_is_not_put_off_for_ever(requests: Requests) -> None:
    """However many clicks there are, of what is old some goes out."""
    await _storm(requests, 2)
    requests.clock.wind(OLD + 1)
    for each in range(40):
        await requests.owes(f"click {each}", thread="9.9")
    await requests.workers(patience=200)
    assert {"alert 0", "alert 1"} <= set(requests.posted[:12])


async def test_old_alerts_by_the_hundred_hold_up_no_click(requests: Requests) -> None:
    await _storm(requests, 100)
    requests.clock.wind(OLD + 1)
    reached = _when(requests, 3)
    working = asyncio.create_task(requests.workers(patience=200))
    await reached.wait()
    await requests.owes("click", thread="9.9")
    requests.go_on.set()
    await working
    assert requests.posted.index("click") <= 3 + 2


async def test_a_click_gets_a_slot_when_alerts_of_other_channels_have_them_all(requests: Requests) -> None:
    for each in range(AT_ONCE):
        await requests.owes(f"alert {each}", kind=ALERT_CARD, requester="", channel=f"C{each}", thread="")
    elsewhere = asyncio.Event()

    async def hold(leg: str) -> None:
        if leg == "to post" and requests.calls["post"] <= AT_ONCE:
            await requests.go_on.wait()
        elif leg == "from post":
            elsewhere.set()

    requests.slack.network.between = hold
    await requests.poster.step()
    await requests.owes("click", channel="CLICK", thread="9.9")
    await requests.poster.step()
    await elsewhere.wait()
    assert requests.posted == ["click"]
    requests.go_on.set()
    await requests.workers(patience=200)
    assert len(requests.posted) == AT_ONCE + 1
