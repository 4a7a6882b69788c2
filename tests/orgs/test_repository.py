"""Connected organisations as they are kept: sealed, by workspace, with an id that outlives names, keys and disconnecting."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select

from bot.datadog.client import Datadog
from bot.datadog.links import SITES, Site
from bot.datadog.orgs import ConnectedOrg
from bot.orgs.model import DEFAULT, NewOrg, OrgEntry
from bot.orgs.repository import NameTaken, OrgRepository
from bot.orgs.tables import orgs
from bot.storage.encryption import Encryption, EncryptionError
from bot.storage.engine import Database
from bot.storage.retention import forget_workspace
from tests.clock import Clock
from tests.pg import ready, sqlite_only

OLD_KEY, NEW_KEY = Fernet.generate_key().decode(), Fernet.generate_key().decode()
ACME = NewOrg(
    workspace="T1",
    name="Acme EU",
    site=SITES[3],
    subdomain="acme",
    api_key="acme-api-key-1234",
    app_key="acme-app-key-5678",
    org_uuid="uuid-acme",
    owner="Bits Bot (service account)",
    lacking=("cases_read",),
    connected_by="UEVA",
)


def client_of(site: Site, api_key: str, app_key: str) -> Datadog:
    return Datadog(site.api_url, api_key, app_key, app_url=site.app_url)


def keys_of(org: ConnectedOrg | None) -> tuple[str, str]:
    assert org is not None
    headers = org.client._headers
    return headers["DD-API-KEY"], headers["DD-APPLICATION-KEY"]


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with ready(Database(database_url, clock=Clock())) as database:
        yield database


@pytest.fixture
async def book(database: Database) -> AsyncIterator[OrgRepository]:
    book = book_on(database)
    yield book
    await book.close()


def book_on(database: Database, *keys: str) -> OrgRepository:
    return OrgRepository(database, Encryption(keys or (OLD_KEY,)), client_of)


@sqlite_only
async def test_what_is_connected_speaks_with_its_own_keys(book: OrgRepository) -> None:
    entry = await book.connect(ACME)

    org = await book.get(entry.id, "T1")
    assert keys_of(org) == (ACME.api_key, ACME.app_key)
    assert entry.id.startswith("acme-eu-")
    assert (entry.app_url, book.app_url(entry.id)) == ("https://acme.datadoghq.eu", "https://acme.datadoghq.eu")
    assert await book.get(entry.id, "T1") is org


@sqlite_only
async def test_a_workspace_sees_its_own_only(book: OrgRepository) -> None:
    mine = await book.connect(ACME)
    theirs = await book.connect(replace(ACME, workspace="T2"))

    assert mine.id != theirs.id
    assert await book.of_workspace("T1") == [mine]
    assert await book.named("T1", theirs.id) is None
    assert await book.named("T2", "ACME  eu") == theirs


async def test_what_was_set_up_in_datadog_is_known_at_once(book: OrgRepository) -> None:
    """Whoever disconnects it right after must not leave that behind."""
    made = await book.connect(ACME)

    async def told() -> tuple[bool, bool]:
        (listed,) = await book.known("T1")
        entry = await book.entry(made.id)
        assert entry is not None
        assert (listed.alerts_begun_at, listed.alerts_set_up_at) == (entry.alerts_begun_at, entry.alerts_set_up_at)
        return entry.alerts_begun_at is not None, entry.alerts_set_up_at is not None

    assert await told() == (False, False)
    assert await book.begin_alert_setup("T1", made.id, ["team:core"])
    assert await told() == (True, False)
    await book.end_alert_setup("T1", made.id, complete=True)
    assert await told() == (True, True)


async def test_a_name_is_taken_whatever_its_letters(book: OrgRepository) -> None:
    await book.connect(ACME)

    with pytest.raises(NameTaken):
        await book.connect(replace(ACME, name="ACME eu", org_uuid="uuid-other"))


@sqlite_only
async def test_the_organisation_of_the_settings_is_first_and_its_name_is_taken(database: Database) -> None:
    entry = OrgEntry(DEFAULT, "", DEFAULT, SITES[0])
    org = ConnectedOrg(DEFAULT, client_of(SITES[0], "k", "k"), SITES[0].app_url)
    book = OrgRepository(database, Encryption([OLD_KEY]), client_of, default=(entry, org))
    acme = await book.connect(ACME)
    assert (await book.of_workspace("T1"), await book.of_workspace("T2")) == ([acme], []), "it serves nobody unasked"
    assert await book.get(DEFAULT, "T1", "T2") is None

    book.default_for = frozenset({"T1"})
    assert await book.of_workspace("T1") == [entry, acme]
    assert await book.of_workspace("T2") == []
    assert await book.get(DEFAULT, "T2") is None
    assert await book.get(DEFAULT, "T2", "T1") is org
    with pytest.raises(NameTaken):
        await book.connect(replace(ACME, name="Default", org_uuid="uuid-other"))
    await book.close()


@sqlite_only
async def test_keys_replaced_by_one_replica_count_at_once_in_the_other(database: Database, book: OrgRepository) -> None:
    other = book_on(database)
    entry = await book.connect(ACME)
    assert keys_of(await other.get(entry.id, "T1"))[1] == ACME.app_key

    await book.connect(replace(ACME, app_key="acme-app-key-new1", replaces=entry.id))
    assert keys_of(await other.get(entry.id, "T1"))[1] == "acme-app-key-new1"
    await book.disconnect("T1", entry.id)
    assert await other.get(entry.id, "T1") is None
    await other.close()


@sqlite_only
async def test_another_replica_learns_where_links_lead(database: Database, book: OrgRepository) -> None:
    other = book_on(database)
    entry = await book.connect(ACME)

    await other.step()

    assert other.app_url(entry.id) == "https://acme.datadoghq.eu"


@sqlite_only
async def test_nobody_replaces_another_workspaces_keys(book: OrgRepository) -> None:
    theirs = await book.connect(ACME)

    mine = await book.connect(replace(ACME, workspace="T2", app_key="app-key-of-t2", replaces=theirs.id))

    assert mine.id != theirs.id
    assert keys_of(await book.get(theirs.id, "T1")) == (ACME.api_key, ACME.app_key)


@sqlite_only
async def test_disconnected_its_keys_are_gone_and_its_id_and_links_wait(
    database: Database, book: OrgRepository
) -> None:
    entry = await book.connect(ACME)
    assert await book.disconnect("T2", entry.id) is None

    gone = await book.disconnect("T1", entry.id)

    assert gone is not None
    assert await book.get(entry.id, "T1") is None
    assert await book.of_workspace("T1") == []
    assert book.app_url(entry.id) == "https://acme.datadoghq.eu"
    assert await book.disconnect("T1", entry.id) is None
    async with database.transaction() as connection:
        row = (await connection.execute(select(orgs))).one()
    assert (row.api_key, row.app_key, row.api_key_end) == (None, None, "")
    assert (await book.connect(replace(ACME, name="Back"))).id == entry.id


async def test_a_free_name_is_free_again(book: OrgRepository) -> None:
    entry = await book.connect(ACME)
    await book.disconnect("T1", entry.id)

    other = await book.connect(replace(ACME, org_uuid="uuid-other"))

    assert other.id != entry.id


async def test_two_admins_who_connect_it_at_once_connect_one(book: OrgRepository) -> None:
    entries = await asyncio.gather(*(book.connect(ACME) for _ in range(4)))

    assert len({entry.id for entry in entries}) == 1
    assert len(await book.of_workspace("T1")) == 1


@sqlite_only
async def test_a_workspace_that_leaves_takes_its_keys_with_it(database: Database, book: OrgRepository) -> None:
    entry = await book.connect(ACME)
    kept = await book.connect(replace(ACME, workspace="T2"))
    for forget in (partial(forget_workspace, database), book.drop_workspace):
        await forget("T1")

    assert await book.get(entry.id, "T1") is None
    async with database.transaction() as connection:
        assert [row.id for row in await connection.execute(select(orgs))] == [kept.id]


@sqlite_only
async def test_keys_that_cannot_be_opened_are_no_connection(
    database: Database, book: OrgRepository, caplog: pytest.LogCaptureFixture
) -> None:
    entry = await book.connect(ACME)
    other = book_on(database, NEW_KEY)

    assert await other.get(entry.id, "T1") is None
    assert "can't be opened" in caplog.text
    await other.close()


@sqlite_only
async def test_without_a_vault_nothing_is_stored(database: Database) -> None:
    book = OrgRepository(database, None, client_of)

    assert not book.can_connect
    with pytest.raises(EncryptionError):
        await book.connect(ACME)
    assert await book.encrypted() == 0
    await book.close()
