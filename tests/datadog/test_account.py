"""What a check of the credentials says about good keys, bad keys and a Datadog that is down."""

from typing import Any

import httpx
import pytest

from bot.datadog.checkup import Account
from bot.datadog.client import Datadog
from bot.datadog.errors import Unavailable
from tests.datadog.conftest import Wire


@pytest.fixture
def account(datadog: Datadog) -> Account:
    return Account(datadog)


async def test_the_api_key(wire: Wire, account: Account) -> None:
    cases: list[tuple[int, Any, bool]] = [
        (200, {"valid": True}, True),
        (200, {"valid": False}, False),
        (200, {}, False),
        (401, {"errors": ["Unauthorized"]}, False),
        (403, {"status": "error", "code": 403, "errors": ["Forbidden"]}, False),
    ]
    for status, body, good in cases:
        wire.answers(httpx.Response(status, json=body))

        assert await account.validate() is good
        assert wire.called == "GET /api/v1/validate"


async def test_both_keys(wire: Wire, account: Account) -> None:
    cases: list[tuple[int, Any, bool]] = [
        (200, {"status": "ok"}, True),
        (200, {}, False),
        (401, {}, False),
        (403, {}, False),
    ]
    for status, body, good in cases:
        wire.answers(httpx.Response(status, json=body))

        assert await account.validate_keys() is good
        assert wire.called == "GET /api/v2/validate_keys"


async def test_an_outage_says_nothing_about_the_keys(wire: Wire, account: Account) -> None:
    wire.answers(*(httpx.Response(503) for _ in range(3)))

    with pytest.raises(Unavailable):
        await account.validate_keys()


async def test_who_the_keys_act_as(wire: Wire, account: Account) -> None:
    cases: list[tuple[Any, str]] = [
        ({"name": "Bits Bot", "handle": "bits", "service_account": True}, "Bits Bot (service account)"),
        ({"name": None, "handle": "bits", "email": "bits@acme.example"}, "bits"),
        ({"email": "bits@acme.example"}, "bits@acme.example"),
        ({"service_account": True}, ""),
    ]
    for attributes, name in cases:
        wire.answers_json({"data": {"id": "u-1", "attributes": attributes}})

        assert await account.owner_name() == name
