"""What one setting may hold: sites, databases, keys, addresses, numbers, and how the rest is refused."""

import re
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from bot.config import load_settings, variables
from bot.config_values import is_fernet_key
from bot.datadog.links import SITES
from bot.storage.retention import USUAL, Kept
from tests.docs import keep_setting
from tests.starts import FERNET_KEY, SOCKET_MODE, Environment, only_problem, refusals

# Datadog


def test_every_site_is_taken(environment: Environment) -> None:
    for site in SITES:
        environment(SOCKET_MODE, DD_SITE=site.domain.upper())
        assert load_settings().site is site


def test_a_site_written_another_way_is_recognised(environment: Environment) -> None:
    for written, meant in (
        ("app.datadoghq.eu", "datadoghq.eu"),
        ("https://acme.us5.datadoghq.com/monitors", "us5.datadoghq.com"),
        ("api.ap1.datadoghq.com", "ap1.datadoghq.com"),
        ("eu1", "datadoghq.eu"),
    ):
        environment(SOCKET_MODE, DD_SITE=written)
        assert f"did you mean {meant}?" in only_problem()


def test_an_unknown_site_is_answered_with_all_nine(environment: Environment) -> None:
    for site in ("example.org", "//[", "eu"):
        environment(SOCKET_MODE, DD_SITE=site)
        sentence = only_problem()
        assert "did you mean" not in sentence
        assert all(each.domain in sentence for each in SITES)


def test_swapped_datadog_keys_are_noticed(environment: Environment) -> None:
    environment(SOCKET_MODE, DD_API_KEY="a" * 40, DD_APP_KEY="b" * 32)
    (warning,) = load_settings().warnings
    assert "are they swapped?" in warning


# The database


def test_a_database_url_is_turned_to_the_driver_we_use(environment: Environment) -> None:
    for written, used in (
        ("sqlite:///bits.sqlite3", "sqlite+aiosqlite:///bits.sqlite3"),
        ("sqlite+aiosqlite:////bits.sqlite3", "sqlite+aiosqlite:////bits.sqlite3"),
        ("sqlite+pysqlite:///bits.sqlite3", "sqlite+aiosqlite:///bits.sqlite3"),
        ("postgres://bits:p%40ss@db:5433/bits", "postgresql+asyncpg://bits:p%40ss@db:5433/bits"),
        ("postgresql://bits@db/bits", "postgresql+asyncpg://bits@db/bits"),
        ("postgresql+psycopg2://bits@db/bits", "postgresql+asyncpg://bits@db/bits"),
        ("postgresql+asyncpg://bits@db/bits", "postgresql+asyncpg://bits@db/bits"),
        (
            "postgres://bits@db/bits?sslmode=require&channel_binding=require",
            "postgresql+asyncpg://bits@db/bits?ssl=require",
        ),
        (
            "postgres://bits@db/bits?sslmode=verify-full&sslrootcert=/etc/db-ca.pem&connect_timeout=5",
            f"postgresql+asyncpg://bits@db/bits?dsn={quote('postgresql:///?sslmode=verify-full&sslrootcert=%2Fetc%2Fdb-ca.pem', '')}",
        ),
    ):
        environment(SOCKET_MODE, DATABASE_URL=written)
        assert load_settings().database_url == used
        assert create_async_engine(used).url == make_url(used)


def test_an_unusable_database_is_refused_without_its_password(environment: Environment) -> None:
    for url, words in (
        ("mysql://root:hunter2@db/bits", "names a database this bot does not know"),
        ("bits.sqlite3", "is not a database URL: it must be sqlite:///file.sqlite3 or postgresql://"),
        ("postgresql://bits:hunter2@db:port/bits", "is not a database URL"),
        ("postgresql:///bits", "names no host"),
        ("postgresql://db/bits?sslmod=require", "has a part that the PostgreSQL driver does not know: ?sslmod"),
        ("sqlite:////nowhere/bits.sqlite3", "points into a folder that does not exist: /nowhere"),
        ("sqlite://bits.sqlite3", "three slashes"),
    ):
        environment(SOCKET_MODE, DATABASE_URL=url)
        sentence = only_problem()
        assert sentence.startswith("DATABASE_URL ")
        assert words in sentence
        assert "hunter2" not in sentence


def test_postgresql_without_its_driver_says_what_to_install(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    environment(SOCKET_MODE, DATABASE_URL="postgresql://bits@db/bits")
    assert "pip install asyncpg" in only_problem()


def test_a_database_in_memory_is_warned_about(environment: Environment) -> None:
    for url in ("sqlite://", "sqlite:///:memory:"):
        environment(SOCKET_MODE, DATABASE_URL=url)
        (warning,) = load_settings().warnings
        assert warning.startswith("DATABASE_URL keeps everything in memory")


# Secrets of our own


def test_several_encryption_keys_are_kept_in_order(environment: Environment) -> None:
    older = Fernet.generate_key().decode()
    environment(SOCKET_MODE, BITS_ENCRYPTION_KEYS=f"{FERNET_KEY}, {older}")
    assert tuple(key.get_secret_value() for key in load_settings().encryption_keys) == (FERNET_KEY, older)


def test_a_broken_encryption_key_is_named_by_its_place(environment: Environment) -> None:
    environment(SOCKET_MODE, BITS_ENCRYPTION_KEYS=f"{FERNET_KEY},{FERNET_KEY[:-4]},secret")
    sentence = only_problem()
    assert "has no well-formed key at place 2, 3" in sentence
    assert FERNET_KEY[:-4] not in sentence


@given(st.text(alphabet="abcXYZ019-_+/=", max_size=50) | st.binary(min_size=32, max_size=32).map(lambda _: FERNET_KEY))
def test_what_we_take_for_an_encryption_key_is_one(key: str) -> None:
    if is_fernet_key(key):
        assert Fernet(key).decrypt(Fernet(key).encrypt(b"token")) == b"token"
    else:
        assert len(key) != len(FERNET_KEY) or not key.endswith("=") or set(key) & set("+/=")


def test_a_short_webhook_secret_is_refused(environment: Environment) -> None:
    environment(SOCKET_MODE, BITS_WEBHOOK_SECRET="letmein")
    assert only_problem().startswith("BITS_WEBHOOK_SECRET is too easy to guess: at least 16 characters;")


# Addresses, numbers, files


def test_an_address_must_be_a_plain_web_address(environment: Environment) -> None:
    for name in ("SLACK_API_URL", "DD_API_URL", "BITS_PUBLIC_URL"):
        for value in (
            "bot.example.com",
            "ftp://x",
            "https://",
            "https://u:hunter2@x",
            "https://x?a=b",
            "http://[",
            "https://x:99999",
        ):
            environment(SOCKET_MODE, **{name: value})
            sentence = only_problem()
            assert sentence.startswith(f"{name} ")
            assert "hunter2" not in sentence
        environment(**{name: None})


def test_on_this_machine_http_is_good_enough(environment: Environment) -> None:
    for url in ("http://127.0.0.1:8080/api", "http://localhost:8080/api/", "http://[::1]:8080/api"):
        environment(SOCKET_MODE, SLACK_API_URL=url)
        settings = load_settings()
        assert settings.slack_api_url == url.rstrip("/") + "/"
        assert settings.warnings == ()


def test_http_to_another_machine_is_warned_about(environment: Environment) -> None:
    environment(SOCKET_MODE, DD_API_URL="http://proxy.internal")
    (warning,) = load_settings().warnings
    assert warning.startswith("DD_API_URL is not https")


def test_whatever_is_not_usable_is_told_what_it_must_be(environment: Environment) -> None:
    for name in variables():
        environment(SOCKET_MODE, **{name: "-7 sheep"})
        told = [sentence for sentence in refusals() if f"{name} is not usable" in sentence]
        assert [sentence for sentence in told if "it must be " not in sentence] == []


def test_seconds_must_be_a_sensible_number(environment: Environment) -> None:
    for value in ("0", "-1", "soon", "nan", "inf", "3601", "1,5"):
        environment(SOCKET_MODE, BITS_POLL_SECONDS=value)
        assert (
            only_problem() == "BITS_POLL_SECONDS is not usable: it must be a number of seconds above 0, at most 3600."
        )


@pytest.mark.parametrize("kept", Kept)
def test_each_rule_of_what_is_kept_has_a_setting_of_whole_days(environment: Environment, kept: Kept) -> None:
    setting = keep_setting(kept)
    environment(SOCKET_MODE)
    assert load_settings().keep_days == USUAL
    for value in ("1", "3650"):
        environment(SOCKET_MODE, **{setting: value})
        assert load_settings().keep_days == {**USUAL, kept: int(value)}
    for value in ("0", "-1", "3651", "30.5", "a year", "nan"):
        environment(SOCKET_MODE, **{setting: value})
        assert only_problem() == f"{setting} is not usable: it must be a whole number of days from 1 to 3650."


def test_seconds_may_be_a_fraction(environment: Environment) -> None:
    environment(SOCKET_MODE, BITS_POLL_SECONDS="0.05", BITS_DEADLINE_MINUTES=".5")
    assert (load_settings().bits_poll_seconds, load_settings().bits_deadline_minutes) == (0.05, 0.5)


def test_log_words_are_taken_in_any_case(environment: Environment) -> None:
    environment(SOCKET_MODE, BITS_LOG_LEVEL="debug", BITS_LOG_FORMAT="JSON")
    assert (load_settings().bits_log_level, load_settings().bits_log_format) == ("DEBUG", "json")


def test_a_channels_file_that_is_not_there_is_said_at_once(environment: Environment) -> None:
    environment(SOCKET_MODE, BITS_CHANNELS_FILE="kanäle.yml")
    assert only_problem() == "BITS_CHANNELS_FILE names a file that does not exist: kanäle.yml."
    Path("kanäle.yml").touch()
    assert load_settings().bits_channels_file == Path("kanäle.yml")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("datadog.eu", "datadoghq.eu"),
        ("datadog.com", "datadoghq.com"),
        ("https://app.datadoghq.eu/", "datadoghq.eu"),
        ("us5", "us5.datadoghq.com"),
        ("us5.datadog.com", "us5.datadoghq.com"),
        ("ddog-gov.org", "ddog-gov.com"),
        ("example.com", ""),
    ],
)
def test_a_site_that_is_not_quite_right_gets_a_suggestion(environment: Environment, written: str, meant: str) -> None:
    environment(SOCKET_MODE, DD_SITE=written)
    told = only_problem()
    assert told.startswith("DD_SITE is not a Datadog site")
    assert re.findall(r"did you mean (\S+)\?", told) == ([meant] if meant else [])
