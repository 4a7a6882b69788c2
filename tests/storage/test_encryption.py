"""Secrets at rest: what seals, what opens, and what changing the key does to everything stored."""

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import MetaData, select, update

from bot.schema import metadata
from bot.storage import encryption as encryption_module
from bot.storage.encryption import Encryption, EncryptionError, Rekeyed, check_secrets, encrypted_columns, rekey
from bot.storage.engine import Database
from bot.workspaces.tables import installations

OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))
TOKEN = "xoxb-1111-2222-abcDEF"


@given(st.text())
def test_what_is_sealed_opens_again(text: str) -> None:
    encryption = Encryption([NEW])
    assert encryption.decrypt(encryption.encrypt(text)) == text


def test_sealed_text_shows_nothing_and_no_two_are_alike() -> None:
    encryption = Encryption([NEW])
    assert TOKEN not in encryption.encrypt(TOKEN)
    assert encryption.encrypt(TOKEN) != encryption.encrypt(TOKEN)
    assert NEW not in repr(encryption)


def test_a_key_behind_the_first_still_opens() -> None:
    sealed = Encryption([OLD]).encrypt(TOKEN)
    both = Encryption([NEW, OLD])
    assert both.decrypt(sealed) == TOKEN
    assert not both.is_current(sealed)
    assert both.is_current(both.rotate(sealed))
    assert Encryption([NEW]).decrypt(both.rotate(sealed)) == TOKEN


@pytest.mark.parametrize(
    "sealed", [Encryption([OLD]).encrypt(TOKEN), "", "nonsense", TOKEN], ids=["sealed", "empty", "nonsense", "token"]
)
def test_a_wrong_key_is_told_with_what_to_do_and_without_the_secret(sealed: str) -> None:
    encryption = Encryption([NEW, OTHER])
    for use in (encryption.decrypt, encryption.rotate):
        with pytest.raises(EncryptionError, match="not in BITS_ENCRYPTION_KEYS") as told:
            use(sealed)
        assert TOKEN not in str(told.value)
        assert NEW not in str(told.value)
    assert not encryption.is_current(sealed)


@pytest.mark.parametrize("keys", [[], ["short"], [NEW, "x" * 44]])
def test_keys_that_are_none_are_refused_without_being_repeated(keys: list[str]) -> None:
    with pytest.raises(EncryptionError, match="BITS_ENCRYPTION_KEYS") as told:
        Encryption(keys)
    assert not [key for key in keys if key in str(told.value)]


def test_tables_say_which_columns_are_sealed() -> None:
    found = {table.name: [column.name for column in columns] for table, columns in encrypted_columns(metadata).items()}
    assert found["installations"] == ["bot_token", "refresh_token"]
    assert encrypted_columns(MetaData()) == {}


async def _install(database: Database, encryption: Encryption, home: str, *, rotates: bool = False) -> None:
    values = {
        "home": home,
        "team_id": home,
        "is_enterprise_install": False,
        "app_id": "A1",
        "bot_token": encryption.encrypt(f"{TOKEN}-{home}"),
        "refresh_token": encryption.encrypt(f"xoxe-{home}") if rotates else None,
        "generation": 1,
        "scopes": "commands",
        "bot_user_id": "U1",
        "bot_id": "B1",
        "installer": "U2",
        "installed_at": 1.0,
    }
    async with database.transaction() as connection:
        await connection.execute(installations.insert().values(**values))


async def _opened(database: Database, encryption: Encryption) -> dict[str, tuple[str, str]]:
    async with database.transaction() as connection:
        rows = await connection.execute(select(installations).order_by(installations.c.home))
    return {
        row.home: (
            encryption.decrypt(row.bot_token),
            encryption.decrypt(row.refresh_token) if row.refresh_token else "",
        )
        for row in rows
    }


async def _rekeyed(database: Database, encryption: Encryption) -> Rekeyed:
    return next(told for told in await rekey(database, encryption) if told.table == "installations")


async def test_after_rekey_the_old_key_can_go(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encryption_module, "BATCH", 2)
    for number in range(5):
        await _install(database, Encryption([OLD]), f"T{number}", rotates=number % 2 == 0)
    await _install(database, Encryption([NEW]), "T5")

    told = await _rekeyed(database, Encryption([NEW, OLD]))

    assert told == Rekeyed("installations", changed=8, current=1)
    opened = await _opened(database, Encryption([NEW]))
    assert opened["T0"] == (f"{TOKEN}-T0", "xoxe-T0")
    assert opened["T1"] == (f"{TOKEN}-T1", "")
    assert len(opened) == 6


async def test_rekey_can_be_run_again_and_goes_on_where_it_stopped(database: Database) -> None:
    for number in range(4):
        await _install(database, Encryption([OLD]), f"T{number}")
    encryption = Encryption([NEW, OLD])
    async with database.transaction() as connection:  # as a run leaves it that was killed after two rows
        for row in (await connection.execute(select(installations).limit(2).order_by(installations.c.id))).all():
            mine = update(installations).where(installations.c.id == row.id)
            await connection.execute(mine.values(bot_token=encryption.rotate(row.bot_token)))

    assert await _rekeyed(database, encryption) == Rekeyed("installations", changed=2, current=2)
    assert await _rekeyed(database, encryption) == Rekeyed("installations", changed=0, current=4)


async def test_what_no_key_opens_is_counted_left_alone_and_stops_nothing(database: Database) -> None:
    for home, key in (("T0", OLD), ("T1", OTHER), ("T2", OLD)):
        await _install(database, Encryption([key]), home)

    assert await _rekeyed(database, Encryption([NEW, OLD])) == Rekeyed("installations", changed=2, unreadable=1)
    assert await _rekeyed(database, Encryption([NEW, OTHER])) == Rekeyed("installations", changed=1, current=2)
    assert len(await _opened(database, Encryption([NEW]))) == 3


async def test_wrong_keys_are_told_at_the_start(database: Database) -> None:
    await check_secrets(database, Encryption([NEW]))  # nothing stored yet
    await _install(database, Encryption([OLD]), "T0", rotates=True)
    await check_secrets(database, Encryption([NEW, OLD]))
    with pytest.raises(EncryptionError, match="Put that key back"):
        await check_secrets(database, Encryption([NEW]))
