"""Clients are kept by organisation, replaced when its keys change, and closed when nothing can be under way on them."""

from collections.abc import AsyncIterator

import pytest

from bot.datadog.client import Datadog
from bot.datadog.http import Http
from bot.datadog.orgs import ClientPool, ConnectedOrg
from tests.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def pool(clock: Clock) -> AsyncIterator[ClientPool]:
    pool = ClientPool(most=2, linger=100, clock=clock)
    yield pool
    await pool.close()


def made(name: str) -> ConnectedOrg:
    client = Datadog("https://api.datadoghq.eu", "api-key", "app-key", app_url="https://app.datadoghq.eu")
    return ConnectedOrg(name, client, client.app_url)


def taken(pool: ClientPool, name: str, version: int = 1) -> ConnectedOrg:
    return pool.get(name, version, lambda: made(name))


def closed(org: ConnectedOrg) -> bool:
    assert isinstance(org.client._http, Http)
    return org.client._http.closed


async def test_one_client_an_organisation(pool: ClientPool) -> None:
    assert taken(pool, "acme") is taken(pool, "acme")
    assert taken(pool, "acme") is not taken(pool, "globex")


async def test_other_keys_are_another_client_and_the_old_one_ends_its_calls_first(
    pool: ClientPool, clock: Clock
) -> None:
    old = taken(pool, "acme")
    new = taken(pool, "acme", version=2)
    assert new is not old

    await pool.close_retired()
    assert not closed(old)
    clock.now += 101
    await pool.close_retired()

    assert (closed(old), closed(new)) == (True, False)


async def test_what_was_used_longest_ago_makes_room(pool: ClientPool, clock: Clock) -> None:
    acme, globex = taken(pool, "acme"), taken(pool, "globex")
    assert taken(pool, "acme") is acme
    taken(pool, "initech")
    clock.now += 101
    await pool.close_retired()

    assert (closed(acme), closed(globex)) == (False, True)


async def test_what_is_dropped_is_not_given_out_again(pool: ClientPool) -> None:
    old = taken(pool, "acme")
    pool.drop("acme")
    pool.drop("never there")

    assert taken(pool, "acme") is not old


async def test_closing_closes_everything(pool: ClientPool) -> None:
    orgs = [taken(pool, "acme"), taken(pool, "acme", version=2), taken(pool, "globex")]

    await pool.close()

    assert [closed(org) for org in orgs] == [True, True, True]
