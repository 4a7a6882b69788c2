"""Starts of the bot as the settings allow them, and what the person at the terminal is told."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from bot.config import SettingsProblems, load_settings

BOT_TOKEN = "xoxb-1111-2222-abcDEF"
APP_TOKEN = "xapp-1-A0BITS-333-abc"
FERNET_KEY = Fernet.generate_key().decode()
SOCKET_MODE = {
    "SLACK_BOT_TOKEN": BOT_TOKEN,
    "SLACK_APP_TOKEN": APP_TOKEN,
    "DD_API_KEY": "api-key",
    "DD_APP_KEY": "app-key",
}
OAUTH = {
    "SLACK_CLIENT_ID": "111.222",
    "SLACK_CLIENT_SECRET": "client-secret",
    "SLACK_SIGNING_SECRET": "signing-secret",
    "BITS_ENCRYPTION_KEYS": FERNET_KEY,
    "BITS_PUBLIC_URL": "https://bot.example.com",
}

Environment = Callable[..., None]


def problems(env_file: Path | None = Path(".env")) -> list[str]:
    with pytest.raises(SettingsProblems) as refused:
        load_settings(env_file)
    return refused.value.problems


def refusals() -> list[str]:
    try:
        load_settings(None)
    except SettingsProblems as refused:
        return refused.problems
    return []


def only_problem() -> str:
    (sentence,) = problems()
    return sentence
