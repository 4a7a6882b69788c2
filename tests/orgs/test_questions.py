"""Requests that wait for an organisation: they come back as they were, to their own person only, or not at all."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from bot.cases.form import CASE_FORM, WaitingForm
from bot.cases.slack import SHOW_CASE, ShowCase
from bot.insights.opening import ATTACH_FROM, Beginning
from bot.investigations.commands import LIST, SHOW, ListRequest, ShowRequest
from bot.investigations.requests import INVESTIGATE, Investigate
from bot.model import (
    SUBJECTS,
    AlertRef,
    EventRef,
    ExistingRun,
    MonitorRef,
    Place,
    Question,
    Source,
    Subject,
    ThreadRef,
)
from bot.orgs.questions import QUESTION_BLOCK, OrgQuestions, Resumable
from bot.orgs.tables import QUESTION_LIVES
from bot.slack.interactions import Interaction
from bot.slack.listeners import After
from bot.storage.engine import Database
from tests.clock import Clock
from tests.pg import ready

THREAD = Place("T1", "C1", "1700000000.000100")
ALERT = AlertRef(5, "8788641826233093636", 1_700_000_000_000, 'Disk <full> & "hot"', "host:a", "acme.datadoghq.eu")
SOME: list[Subject] = [
    ALERT,
    replace(ALERT, monitor_name="", group=""),
    MonitorRef(5),
    MonitorRef(5, "n", "g", "h"),
    EventRef("8788641826233093636", "acme.datadoghq.eu"),
    Question("why is it slow"),
    Question("why is it slow?", ("service:web",), 1_700_000_000_000, 1_700_007_200_000),
    Question("x" * 4_000),
    ExistingRun("0195c8a2-7b1e-7c3a-9f00-3a5b1c2d4e5f", ALERT, "h"),
    ThreadRef(),
]
REQUESTS: list[tuple[Resumable[Any], Any]] = [
    *((INVESTIGATE, Investigate(subject, Source.MENTION)) for subject in SOME),
    (LIST, ListRequest()),
    (LIST, ListRequest(5, 20, "acme.datadoghq.eu")),
    (SHOW, ShowRequest("0195c8a2-7b1e-7c3a-9f00-3a5b1c2d4e5f")),
    (SHOW_CASE, ShowCase("CASEM-42")),
    (CASE_FORM, WaitingForm("k" * 22)),
    (ATTACH_FROM, Beginning("CASEM-42", ALERT, "https://app.datadoghq.com/monitors/5", by_a_person=True)),
    (ATTACH_FROM, Beginning()),
]


async def never(_interaction: Interaction, _request: object, _org: str) -> After:
    raise AssertionError("nothing is run here")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def questions(clock: Clock) -> AsyncIterator[OrgQuestions]:
    async with ready(Database("sqlite+aiosqlite:///:memory:", clock=clock)) as database:
        questions = OrgQuestions(database, clock)
        kinds: list[Resumable[Any]] = [INVESTIGATE, LIST, SHOW, SHOW_CASE, CASE_FORM, ATTACH_FROM]
        for kind in kinds:
            questions.when_answered(kind, never)
        yield questions


def click(block_id: str, *, person: str = "UANA", channel: str = "C1", message: bool = False) -> Interaction:
    place = Place("T1", channel, "1700000099.000100")
    return Interaction("gesture:click", place, person, block_id=block_id, message={"ts": "1"} if message else {})


async def test_a_request_comes_back_as_it_was_in_the_place_it_was_made(questions: OrgQuestions) -> None:
    for number, (kind, request_) in enumerate(REQUESTS):
        block_id = await questions.ask(f"gesture:{number}", THREAD, "UANA", kind.record(request_))
        assert len(block_id) <= 255

        answered = await questions.answered(click(block_id))

        assert answered is not None
        assert (answered.request, repr(answered.request)) == (request_, repr(request_))  # its hosts too
        assert answered.interaction.place == THREAD


def test_requests_that_an_older_version_wrote_down_are_read() -> None:
    for subject in SOME:
        older = {"verb": "investigate", "subject": SUBJECTS.dump_python(subject, mode="json"), "source": "mention"}
        assert repr(INVESTIGATE.read(older)) == repr(Investigate(subject, Source.MENTION))


def test_the_other_kinds_as_well() -> None:
    cases: list[tuple[Resumable[Any], dict[str, Any], object]] = [
        (LIST, {"verb": "list", "monitor_id": None, "source": "command"}, ListRequest()),
        (LIST, {"verb": "list", "monitor_id": 5, "source": "command"}, ListRequest(5)),
        (SHOW, {"verb": "show", "id": "0195", "source": "mention"}, ShowRequest("0195")),
        (SHOW_CASE, {"verb": "case", "id": "CASEM-42", "source": "command"}, ShowCase("CASEM-42")),
        (CASE_FORM, {"verb": "case_form", "order": "k"}, WaitingForm("k")),
        (
            ATTACH_FROM,
            {"verb": "attach_from", "words": "", "subject": None, "texts": "x", "by_a_person": True},
            Beginning(texts="x", by_a_person=True),
        ),
    ]
    for kind, older, request_ in cases:
        assert kind.name == older["verb"]
        assert kind.read(older) == request_


async def test_one_question_starts_one_thing_and_an_equal_one_another(questions: OrgQuestions, clock: Clock) -> None:
    record = INVESTIGATE.record(Investigate(Question("why is it slow")))

    async def key_after(gesture: str) -> str:
        answered = await questions.answered(click(await questions.ask(gesture, THREAD, "UANA", record)))
        assert answered is not None
        return answered.interaction.key

    first = await key_after("gesture:1")
    clock.wind(2)
    assert await key_after("gesture:1") == first  # Slack has sent the command again
    assert await key_after("gesture:2") != first


@pytest.mark.parametrize("words", ["why", "why " * 100])
async def test_it_is_of_no_use_in_another_workspace(questions: OrgQuestions, words: str) -> None:
    block_id = await questions.ask("gesture:1", THREAD, "UANA", INVESTIGATE.record(Investigate(Question(words))))

    elsewhere = replace(click(block_id), place=replace(click(block_id).place, workspace="T2"))
    assert await questions.answered(elsewhere) is None
    assert await questions.answered(click(block_id)) is not None


async def test_what_an_earlier_version_asked_names_no_workspace(questions: OrgQuestions, clock: Clock) -> None:
    asked = [INVESTIGATE.record(Investigate(Question("why"))), "UANA", "C1", THREAD.thread_ts, int(clock()), "token"]
    assert await questions.answered(click(f"{QUESTION_BLOCK}{json.dumps(asked)}")) is not None


@pytest.mark.parametrize("words", ["why", "why " * 100])
async def test_it_is_the_askers_only_and_stands_for_an_hour(questions: OrgQuestions, clock: Clock, words: str) -> None:
    block_id = await questions.ask("gesture:1", THREAD, "UANA", INVESTIGATE.record(Investigate(Question(words))))

    assert await questions.answered(click(block_id, person="UBEN")) is None
    clock.wind(QUESTION_LIVES + 1)
    assert await questions.answered(click(block_id)) is None


async def test_a_place_is_believed_where_slack_vouches_for_it(questions: OrgQuestions) -> None:
    block_id = await questions.ask("gesture:1", THREAD, "UANA", LIST.record(ListRequest()))

    assert await questions.answered(click(block_id, channel="C2")) is None
    assert await questions.answered(click(block_id, channel="D1", message=True)) is not None


async def test_what_is_no_question_of_ours_is_none(questions: OrgQuestions) -> None:
    for told in (
        "",
        "17",
        "[]",
        "9" * 40,
        '[{"verb":"show"},"UANA","C1","",1700000000,"t"]',
        '[{"verb":["show"],"id":"x"},"UANA","C1","",1700000000,"t"]',
        '[{"verb":"show","id":"\\u0000"},"UANA","C1","",1700000000,"t"]',
        '[{"verb":"show","id":"\\ud800"},"UANA","C1","",1700000000,"t"]',
        '[{"verb":"drop","id":"x"},"UANA","C1","",1700000000,"t"]',
        '[{"verb":"list","monitor_id":9223372036854775808},"UANA","C1","",1700000000,"t"]',
    ):
        assert await questions.answered(click(f"org_question:{told}")) is None
