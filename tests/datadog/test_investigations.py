"""Investigations as they are triggered, listed and read, and what their status words mean."""

from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.datadog.client import Datadog
from bot.datadog.errors import Forbidden, NotFound, Unreadable
from bot.datadog.investigations import (
    BitsInvestigations,
    Conclusion,
    InvestigationDetail,
    InvestigationItem,
    Progress,
    progress,
    progress_of,
)
from tests.datadog.conftest import Wire

RUN = "0f6a1c1e-3c55-4e6a-9f5b-000000000001"


@pytest.fixture
def bits(datadog: Datadog) -> BitsInvestigations:
    return BitsInvestigations(datadog)


def started(investigation_id: str | None, data_id: str | None = "another") -> dict[str, Any]:
    return {"data": {"id": data_id, "attributes": {"investigation_id": investigation_id}}}


def listed(*ids: str, total: int | None = None) -> dict[str, Any]:
    data = [{"id": each, "type": "investigation", "attributes": {"title": each, "status": "pending"}} for each in ids]
    return {"data": data, "links": {"next": "x"}, "meta": {"page": {"total": total}} if total is not None else None}


def numbered(first: int, last: int) -> list[str]:
    return [f"run-{number}" for number in range(first, last)]


async def test_an_alert_is_triggered_as_documented(wire: Wire, bits: BitsInvestigations) -> None:
    wire.answers_json(started(RUN))

    assert await bits.trigger_alert(12345678, "8788641826233093636", 1788106679000) == RUN
    assert wire.called == "POST /api/v2/bits-ai/investigations"
    assert wire.body == {
        "data": {
            "type": "trigger_investigation_request",
            "attributes": {
                "trigger": {
                    "type": "monitor_alert_trigger",
                    "monitor_alert_trigger": {
                        "monitor_id": 12345678,
                        "event_id": "8788641826233093636",
                        "event_ts": 1788106679000,
                    },
                }
            },
        }
    }


async def test_a_question_is_triggered_as_documented(wire: Wire, bits: BitsInvestigations) -> None:
    wire.answers_json(started(RUN), started(RUN))

    await bits.trigger_question("Why is checkout slow?", ("service:web",), 1, 2)
    assert wire.body["data"]["attributes"]["trigger"] == {
        "type": "general_investigation",
        "general_investigation": {
            "description": "Why is checkout slow?",
            "tags": ["service:web"],
            "start_time": 1,
            "end_time": 2,
        },
    }

    await bits.trigger_question("Why?")
    assert wire.body["data"]["attributes"]["trigger"]["general_investigation"] == {"description": "Why?"}


async def test_a_question_beyond_the_limits_is_not_sent(wire: Wire, bits: BitsInvestigations) -> None:
    cases: list[tuple[str, tuple[int | None, int | None]]] = [
        ("", (None, None)),
        (" \n", (None, None)),
        ("x" * 4097, (None, None)),
        ("x", (1, None)),
        ("x", (None, 1)),
        ("x", (2, 2)),
        ("x", (3, 2)),
    ]
    for question, window in cases:
        with pytest.raises(ValueError, match=r"question|window"):
            await bits.trigger_question(question, (), *window)

        assert wire.sent == []


async def test_the_longest_question_is_sent(wire: Wire, bits: BitsInvestigations) -> None:
    wire.answers_json(started(RUN))

    assert await bits.trigger_question("x" * 4096) == RUN


async def test_the_run_is_named_by_its_attribute_and_else_by_its_id(wire: Wire, bits: BitsInvestigations) -> None:
    wire.answers_json(started(RUN, "x"), started(None, RUN), {"data": {"id": RUN}})

    assert [await bits.trigger_alert(1, "2", 3) for _ in range(3)] == [RUN] * 3


async def test_a_run_without_a_name_is_unreadable(wire: Wire, bits: BitsInvestigations) -> None:
    cases: list[dict[str, Any]] = [{}, {"data": None}, {"data": []}, started(None, None), started("", "")]
    for body in cases:
        wire.answers_json(body)

        with pytest.raises(Unreadable) as caught:
            await bits.trigger_alert(1, "2", 3)

        assert caught.value.may_have_happened


async def test_a_refused_trigger_names_the_permission(wire: Wire, bits: BitsInvestigations) -> None:
    wire.answers(httpx.Response(403, json={"errors": ["Forbidden"]}))

    with pytest.raises(Forbidden) as caught:
        await bits.trigger_alert(1, "2", 3)

    assert caught.value.permission == "bits_investigations_write"


async def test_a_page_holds_what_can_be_used(wire: Wire, bits: BitsInvestigations) -> None:
    wire.answers_json({"data": [{"id": "a", "attributes": {"title": "T", "status": "brand new"}}, {"id": "b"}, {}, 3]})

    page = await bits.page(offset=100, limit=50, monitor_id=7)

    assert page.items == (InvestigationItem("a", "T", "brand new"), InvestigationItem("b", "", ""))
    assert (page.total, page.size) == (None, 4)
    assert dict(wire.last.url.params) == {"page[offset]": "100", "page[limit]": "50", "filter[monitor_id]": "7"}


async def test_a_page_without_a_list_is_not_an_empty_page(wire: Wire, bits: BitsInvestigations) -> None:
    cases: list[dict[str, Any]] = [{}, {"data": None}, {"data": {}}]
    for body in cases:
        wire.answers_json(body)

        with pytest.raises(Unreadable):
            await bits.page()


async def test_the_ids_of_a_monitor_come_from_all_its_pages(wire: Wire, bits: BitsInvestigations) -> None:
    wire.answers_json(
        listed(*numbered(0, 100), total=230),
        listed(*numbered(100, 200), total=230),
        listed(*numbered(200, 230), total=230),
    )

    assert await bits.ids(7) == frozenset(numbered(0, 230))
    assert [request.url.params["page[offset]"] for request in wire.sent] == ["0", "100", "200"]


async def test_a_list_that_shrinks_while_it_is_read_ends(wire: Wire, bits: BitsInvestigations) -> None:
    wire.answers_json(listed(*numbered(0, 100), total=150), listed(total=150))

    assert len(await bits.ids(7)) == 100


async def test_a_server_with_smaller_pages_is_read_whole(wire: Wire, bits: BitsInvestigations) -> None:
    wire.answers_json(listed(*numbered(0, 25), total=40), listed(*numbered(25, 40), total=40))

    assert await bits.ids(7) == frozenset(numbered(0, 40))


async def test_without_a_total_a_short_page_is_the_last(wire: Wire, bits: BitsInvestigations) -> None:
    wire.answers_json(listed(*numbered(0, 100)), listed(*numbered(100, 130)))

    assert await bits.ids(7) == frozenset(numbered(0, 130))


async def test_ten_pages_of_a_monitor_are_enough(wire: Wire, bits: BitsInvestigations) -> None:
    wire.answers_json(*(listed(*numbered(n * 100, n * 100 + 100), total=5000) for n in range(10)))

    assert len(await bits.ids(7)) == 1000


async def test_without_a_monitor_both_ends_of_the_list_are_looked_at(wire: Wire, bits: BitsInvestigations) -> None:
    wire.answers_json(listed(*numbered(0, 100), total=5000), listed(*numbered(4900, 5000), total=5000))

    assert await bits.ids() == frozenset(numbered(0, 100) + numbered(4900, 5000))
    assert wire.last.url.params["page[offset]"] == "4900"
    assert "filter[monitor_id]" not in wire.last.url.params


async def test_a_short_list_is_one_request(wire: Wire, bits: BitsInvestigations) -> None:
    wire.answers_json(listed("a", "b", total=2))

    assert await bits.ids() == {"a", "b"}


async def test_a_finished_run_is_read_with_its_conclusions(wire: Wire, bits: BitsInvestigations) -> None:
    wire.answers_json(
        {
            "data": {
                "id": RUN,
                "attributes": {
                    "title": "Checkout is slow",
                    "status": "conclusive",
                    "conclusions": [
                        {"title": "A", "summary": "B", "description": "C" * 9000},
                        {"title": None, "summary": "only this"},
                        "noise",
                    ],
                },
            },
            "links": {"self": f"https://acme.datadoghq.eu/bits-ai/investigations/{RUN}"},
        }
    )

    assert await bits.get(RUN) == InvestigationDetail(
        id=RUN,
        title="Checkout is slow",
        status="conclusive",
        conclusions=(Conclusion("A", "B", "C" * 9000), Conclusion("", "only this", "")),
        url=f"https://acme.datadoghq.eu/bits-ai/investigations/{RUN}",
    )
    assert wire.called == f"GET /api/v2/bits-ai/investigations/{RUN}"


async def test_a_link_that_is_not_datadogs_is_replaced(wire: Wire, bits: BitsInvestigations) -> None:
    cases: list[str | None] = [
        None,
        "",
        "/bits-ai/investigations/x",
        "http://app.datadoghq.eu/x",
        "https://app.datadoghq.eu.evil.example/x",
        "https://app.datadoghq.eu@evil.example/",
        "javascript:alert(1)",
    ]
    for link in cases:
        wire.answers_json({"data": {"id": RUN}, "links": {"self": link}})

        detail = await bits.get(RUN)

        assert detail.url == f"https://app.datadoghq.eu/bits-ai/investigations/{RUN}"
        assert (detail.title, detail.status, detail.conclusions) == ("", "", ())


async def test_an_id_stays_one_segment_of_the_path(wire: Wire, bits: BitsInvestigations) -> None:
    for hostile in ("../monitor/1", "a/b", "a?b=c", "a#b", "é", "a b"):
        wire.answers(httpx.Response(404, json={"errors": [{"title": "not found"}]}))

        with pytest.raises(NotFound):
            await bits.get(hostile)

        assert wire.last.url.raw_path.decode() == f"/api/v2/bits-ai/investigations/{quote(hostile, safe='')}"


async def test_an_id_that_cannot_exist_is_not_asked_for(wire: Wire, bits: BitsInvestigations) -> None:
    for nothing in ("", " ", ".", "..", "x" * 301):
        with pytest.raises(NotFound):
            await bits.get(nothing)

        assert wire.sent == []


def test_status_words() -> None:
    cases: list[tuple[str, Progress]] = [
        ("pending|in progress|In_Progress|IN-PROGRESS|running|queued", Progress.RUNNING),
        ("conclusive|Completed|complete|succeeded|done", Progress.CONCLUSIVE),
        ("inconclusive|INCONCLUSIVE ", Progress.INCONCLUSIVE),
        ("failed|error|errored|cancelled|canceled|timed_out|Timed Out|timed-out|expired", Progress.FAILED),
        ("|validated|half done", Progress.UNKNOWN),
    ]
    for words, meaning in cases:
        assert {word: progress(word) for word in words.split("|")} == dict.fromkeys(words.split("|"), meaning)


@given(st.text())
def test_any_status_word_has_some_meaning(word: str) -> None:
    assert progress(word) in Progress


def test_an_unknown_status_is_running_until_there_are_conclusions() -> None:
    conclusions = (Conclusion("a", "b", "c"),)

    assert progress_of(InvestigationDetail(RUN, "", "wrapping up", (), "")) is Progress.RUNNING
    assert progress_of(InvestigationDetail(RUN, "", "wrapping up", conclusions, "")) is Progress.CONCLUSIVE
    assert progress_of(InvestigationDetail(RUN, "", "in progress", conclusions, "")) is Progress.RUNNING
    assert progress_of(InvestigationDetail(RUN, "", "failed", conclusions, "")) is Progress.FAILED
