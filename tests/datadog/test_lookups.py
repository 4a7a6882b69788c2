"""Looking up people by e-mail address and incidents by id."""

import httpx
import pytest

from bot.datadog.cases import Cases, Person
from bot.datadog.client import Datadog
from bot.datadog.errors import NotFound, Unreadable
from bot.datadog.insights import Incidents
from tests.datadog.conftest import Wire


async def test_a_person_is_found_by_exactly_their_address(wire: Wire, datadog: Datadog) -> None:
    near = {"id": "u-1", "type": "users", "attributes": {"name": "Jane's boss", "email": "boss.jane@acme.example"}}
    jane = {"id": "u-2", "type": "users", "attributes": {"name": "Jane", "email": "Jane@Acme.example", "handle": "j"}}
    wire.answers_json({"data": [near, None, {}, jane]})

    found = await Cases(datadog).user_with_email(" jane@acme.EXAMPLE ")

    assert found == Person("u-2", "Jane", "Jane@Acme.example", "j")
    assert wire.called == "GET /api/v2/users"
    assert dict(wire.last.url.params) == {
        "filter": "jane@acme.EXAMPLE",
        "filter[status]": "Active",
        "page[size]": "10",
    }


async def test_a_stranger_is_nobody(wire: Wire, datadog: Datadog) -> None:
    wire.answers_json({"data": [{"id": "u-1", "attributes": {"email": "other@acme.example"}}, {"id": "u-2"}]})

    assert await Cases(datadog).user_with_email("jane@acme.example") is None


async def test_no_address_is_nobody_and_asks_nothing(wire: Wire, datadog: Datadog) -> None:
    assert await Cases(datadog).user_with_email(" ") is None
    assert wire.sent == []


async def test_an_incident(wire: Wire, datadog: Datadog) -> None:
    wire.answers_json({"data": {"id": "i-1", "attributes": {"public_id": 42, "title": "Checkout down"}}}, {"data": {}})

    assert await Incidents(datadog).title("i-1") == "Checkout down"
    assert wire.called == "GET /api/v2/incidents/i-1"
    assert await Incidents(datadog).title("i-2") == ""


async def test_an_incident_by_its_number_is_searched_for(wire: Wire, datadog: Datadog) -> None:
    near = {"data": {"id": "i-0", "attributes": {"public_id": 421, "title": "Another"}}}
    meant = {"data": {"id": "i-1", "attributes": {"public_id": 42, "title": "Checkout down"}}}
    wire.answers_json({"data": {"attributes": {"incidents": [None, {}, near, meant]}}})

    assert await Incidents(datadog).title("042") == "Checkout down"
    assert wire.called == "GET /api/v2/incidents/search"
    assert dict(wire.last.url.params) == {"query": "public_id:42"}


async def test_an_incident_whose_number_the_search_does_not_know(wire: Wire, datadog: Datadog) -> None:
    cases: list[dict[str, object]] = [{}, {"data": []}, {"data": {"attributes": {"incidents": [{"data": None}]}}}]
    for answer in cases:
        wire.answers_json(answer)

        with pytest.raises(NotFound):
            await Incidents(datadog).title("42")


async def test_an_incident_that_is_none(wire: Wire, datadog: Datadog) -> None:
    wire.answers(httpx.Response(404, json={"errors": ["not found"]}), httpx.Response(200, json={"data": []}))

    with pytest.raises(NotFound):
        await Incidents(datadog).title("i-1")
    with pytest.raises(Unreadable):
        await Incidents(datadog).title("i-1")
