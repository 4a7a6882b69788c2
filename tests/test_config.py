"""Settings as a person meets them: what starts, what is refused and in which words, and that no secret is ever repeated."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.config import Settings, SettingsProblems, load_settings, variables
from tests.starts import (
    APP_TOKEN,
    BOT_TOKEN,
    FERNET_KEY,
    OAUTH,
    SOCKET_MODE,
    Environment,
    only_problem,
    problems,
    refusals,
)

# A first start


def test_with_nothing_set_each_missing_setting_has_one_sentence_with_where_to_get_it() -> None:
    assert problems() == [
        "SLACK_BOT_TOKEN is missing: get it at api.slack.com/apps > your app > OAuth & Permissions > Bot User OAuth Token.",
        (
            "SLACK_APP_TOKEN is missing (for Socket Mode; get it at api.slack.com/apps > your app > Basic Information > "
            "App-Level Tokens, scope connections:write), and so is SLACK_SIGNING_SECRET (for HTTP; get it at "
            "api.slack.com/apps > your app > Basic Information > App Credentials > Signing Secret)."
        ),
        "DD_API_KEY is missing: get it in Datadog > Organization Settings > API Keys.",
        "DD_APP_KEY is missing: get it in Datadog > Organization Settings > Application Keys.",
    ]


def test_two_tokens_and_two_keys_start_it_in_socket_mode(environment: Environment) -> None:
    environment(SOCKET_MODE)
    settings = load_settings()
    assert settings.slack_mode == "socket"
    assert settings.uses_oauth is False
    assert settings.slack_bot_token is not None
    assert settings.slack_bot_token.get_secret_value() == BOT_TOKEN
    assert settings.slack_api_url == "https://slack.com/api/"
    assert settings.dd_api_url is None
    assert settings.database_url == "sqlite+aiosqlite:///bits-bot.sqlite3"
    assert (settings.bits_poll_first_seconds, settings.bits_poll_seconds, settings.bits_poll_slow_seconds) == (
        20,
        15,
        60,
    )
    assert (settings.bits_deadline_minutes, settings.bits_settle_seconds) == (45, 20)
    assert settings.warnings == ()


def test_a_signing_secret_instead_of_the_app_token_means_http(environment: Environment) -> None:
    environment(SOCKET_MODE, SLACK_APP_TOKEN=None, SLACK_SIGNING_SECRET="8f742231b10e8888")
    assert load_settings().slack_mode == "http"


def test_all_that_is_wrong_is_said_at_once_in_the_order_of_the_documentation(environment: Environment) -> None:
    environment(
        SLACK_BOT_TOKEN=APP_TOKEN,
        SLACK_APP_TOKEN=APP_TOKEN,
        DD_SITE="datadog.com",
        DD_APP_KEY="app-key",
        BITS_HTTP_PORT="http",
        BITS_POLL_SECONDS="0",
        BITS_LOG_LEVEL="loud",
    )
    named = [sentence.split()[0] for sentence in problems()]
    assert named == [
        "SLACK_BOT_TOKEN",
        "DD_SITE",
        "DD_API_KEY",
        "BITS_HTTP_PORT",
        "BITS_POLL_SECONDS",
        "BITS_LOG_LEVEL",
    ]


def test_a_refused_start_shows_sentences_and_nothing_else(environment: Environment) -> None:
    environment(SOCKET_MODE, BITS_HTTP_PORT="70000")
    with pytest.raises(SettingsProblems) as refused:
        load_settings()
    assert (
        str(refused.value) == "BITS_HTTP_PORT is not usable: it must be a port from 0 to 65535; 0 takes any free one."
    )
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


# The file and the environment


def test_the_environment_wins_over_the_file(environment: Environment) -> None:
    Path(".env").write_text("DD_SITE=datadoghq.eu\nDD_API_KEY=from-file\n", "utf-8")
    environment(SOCKET_MODE, DD_SITE="us5.datadoghq.com", DD_API_KEY=None)
    settings = load_settings()
    assert settings.dd_site == "us5.datadoghq.com"
    assert settings.dd_api_key is not None
    assert settings.dd_api_key.get_secret_value() == "from-file"


def test_an_empty_value_counts_as_not_set(environment: Environment) -> None:
    Path(".env").write_text("DD_SITE=datadoghq.eu\nBITS_POLL_SECONDS=\n", "utf-8")
    environment(SOCKET_MODE, DD_SITE="", DATABASE_URL="", SLACK_CLIENT_ID="", BITS_CHANNELS_FILE=" ")
    settings = load_settings()
    assert settings.dd_site == "datadoghq.eu"
    assert settings.bits_poll_seconds == 15
    assert settings.database_url == "sqlite+aiosqlite:///bits-bot.sqlite3"
    assert settings.bits_channels_file is None


def test_an_empty_token_is_missing_like_one_not_set(environment: Environment) -> None:
    environment(SOCKET_MODE, SLACK_BOT_TOKEN='""')
    assert only_problem().startswith("SLACK_BOT_TOKEN is missing")


def test_no_file_is_read_when_none_is_wanted(environment: Environment) -> None:
    Path(".env").write_text("DD_SITE=datadoghq.eu\n", "utf-8")
    environment(SOCKET_MODE)
    assert load_settings(None).dd_site == "datadoghq.com"


def test_a_file_from_windows_reads_well(environment: Environment) -> None:
    Path(".env").write_bytes(b"\xef\xbb\xbfDD_SITE=datadoghq.eu\r\nDD_API_KEY='api-key'\r\n")
    environment(SOCKET_MODE, DD_API_KEY=None)
    settings = load_settings()
    assert settings.dd_site == "datadoghq.eu"
    assert settings.warnings == ()


def test_a_broken_line_of_the_file_is_named_and_not_repeated(
    environment: Environment, caplog: pytest.LogCaptureFixture
) -> None:
    Path(".env").write_text(f"DD_SITE=datadoghq.eu\n= {BOT_TOKEN}\n", "utf-8")
    environment(SOCKET_MODE)
    with caplog.at_level(logging.DEBUG):
        assert only_problem() == "Line 2 of .env is not of the form NAME=value: correct or remove it."
    assert caplog.text == ""


def test_a_file_in_another_encoding_is_refused_in_words(environment: Environment) -> None:
    Path(".env").write_bytes("DD_SITE=datadoghq.eu # für alle\n".encode("latin-1"))
    environment(SOCKET_MODE)
    assert only_problem() == ".env cannot be read (UnicodeDecodeError): save it as UTF-8."


def test_what_clings_to_a_pasted_value_is_taken_off(environment: Environment) -> None:
    for pasted in (
        f"  {BOT_TOKEN} ",
        f"'{BOT_TOKEN}'",
        f' "{BOT_TOKEN}" ',
        f"“{BOT_TOKEN}”",
        f"\ufeff{BOT_TOKEN}\u200b",
        f"{BOT_TOKEN}\r\n",
    ):
        environment(SOCKET_MODE, SLACK_BOT_TOKEN=pasted)
        token = load_settings().slack_bot_token
        assert token is not None
        assert token.get_secret_value() == BOT_TOKEN


# Slack


def test_a_wrong_token_is_told_apart(environment: Environment) -> None:
    cases: list[tuple[str, str, str]] = [
        (
            "SLACK_BOT_TOKEN",
            APP_TOKEN,
            "must start with xoxb-, and this is an app-level token (SLACK_APP_TOKEN); get it at",
        ),
        ("SLACK_APP_TOKEN", BOT_TOKEN, "must start with xapp-, and this is a bot token (SLACK_BOT_TOKEN); get it at"),
        ("SLACK_BOT_TOKEN", "xoxp-1-2", "and this is a user token"),
        ("SLACK_BOT_TOKEN", "xoxe.xoxb-1-2", "expires within hours"),
        ("SLACK_BOT_TOKEN", "hunter2", "must start with xoxb-; get it at"),
        ("SLACK_BOT_TOKEN", "xoxb-1/2", "is not a whole token"),
        ("SLACK_BOT_TOKEN", "xoxb-...", "is not a whole token"),
        ("SLACK_BOT_TOKEN", "xoxb-••••••", "a masked or reformatted copy?"),
        ("SLACK_BOT_TOKEN", "xoxb-1 xapp-2", "has a space or a line break inside"),
    ]
    for name, value, words in cases:
        environment(SOCKET_MODE, **{name: value})
        sentence = only_problem()
        assert sentence.startswith(f"{name} ")
        assert words in sentence
        assert value not in sentence


def test_oauth_needs_no_bot_token_and_no_datadog_keys(environment: Environment) -> None:
    environment(OAUTH)
    settings = load_settings()
    assert settings.uses_oauth is True
    assert settings.slack_mode == "http"
    assert settings.dd_api_key is None


def test_oauth_needs_keys_for_stored_tokens_and_an_address_to_come_back_to(environment: Environment) -> None:
    environment(OAUTH, BITS_ENCRYPTION_KEYS=None, BITS_PUBLIC_URL=None)
    encryption, address = problems()
    assert encryption.startswith("BITS_ENCRYPTION_KEYS is missing (OAuth needs it): make one with python -c ")
    assert address.startswith("BITS_PUBLIC_URL is missing (OAuth needs it): it is the https address")


def test_a_command_that_a_sentence_names_works(environment: Environment) -> None:
    environment(OAUTH, BITS_ENCRYPTION_KEYS=None)
    command = only_problem().partition('python -c "')[2].removesuffix('".')
    key = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True).stdout
    environment(BITS_ENCRYPTION_KEYS=key)
    assert [each.get_secret_value() for each in load_settings().encryption_keys] == [key.strip()]


def test_client_id_and_secret_belong_together(environment: Environment) -> None:
    for lonely in ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"):
        environment(OAUTH, **{lonely: None})
        assert only_problem().startswith(f"{lonely} is missing (it belongs to SLACK_CLIENT_")


def test_with_oauth_a_single_datadog_key_is_half_a_pair(environment: Environment) -> None:
    environment(OAUTH, DD_API_KEY="api-key")
    assert only_problem().startswith("DD_APP_KEY is missing")


def test_with_oauth_a_bot_token_has_no_effect_and_the_bot_says_so(environment: Environment) -> None:
    environment(OAUTH, SLACK_BOT_TOKEN=BOT_TOKEN)
    assert load_settings().warnings == (
        "SLACK_BOT_TOKEN has no effect: with SLACK_CLIENT_ID each workspace has a token of its own.",
    )


# Warnings and safety


def test_a_misspelt_setting_is_pointed_out_with_the_nearest_name(environment: Environment) -> None:
    Path(".env").write_text("BITS_POL_SECONDS=5\n", "utf-8")
    environment(SOCKET_MODE, BITS_ZZZ="1", DD_ENV="prod", SLACK_WEBHOOK="x")
    assert load_settings().warnings == (
        "BITS_POL_SECONDS is not a setting of this bot and has no effect; did you mean BITS_POLL_SECONDS?",
        "BITS_ZZZ is not a setting of this bot and has no effect.",
    )


def test_settings_cannot_be_changed_and_show_no_secret(environment: Environment) -> None:
    environment(
        SOCKET_MODE, OAUTH_UNUSED="", DATABASE_URL="postgres://bits:hunter2@db/bits", BITS_ENCRYPTION_KEYS=FERNET_KEY
    )
    settings = load_settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.dd_site = "datadoghq.eu"  # type: ignore[misc]  # the type says so as well
    shown = f"{settings!r} {settings} {settings.encryption_keys}"
    assert [secret for secret in (BOT_TOKEN, APP_TOKEN, "api-key", "hunter2", FERNET_KEY) if secret in shown] == []


@given(
    name=st.sampled_from(sorted(set(variables()) - {"DATABASE_URL", "BITS_CHANNELS_FILE", "DD_SITE"})),
    value=st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=8, max_size=40),
)
def test_whatever_a_setting_holds_it_is_taken_or_refused_in_one_sentence_that_does_not_repeat_it(
    name: str, value: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for known in {*SOCKET_MODE, name}:
            patch.setenv(known, SOCKET_MODE.get(known, ""))
        patch.setenv(name, value)
        refused = refusals()
    assert all(sentence.isprintable() and sentence.endswith(".") for sentence in refused)
    assert not any(value.strip() and value in sentence for sentence in refused)


def test_reading_settings_leaves_the_environment_alone(environment: Environment) -> None:
    Path(".env").write_text("DD_SITE=datadoghq.eu\n", "utf-8")
    environment(SOCKET_MODE)
    before = dict(os.environ)
    load_settings()
    assert dict(os.environ) == before


def test_parts_under_test_may_make_settings_of_their_own() -> None:
    assert Settings().slack_mode == "http"
