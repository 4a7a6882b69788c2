"""What one setting may hold: tokens, addresses, keys, database URLs. Each check answers in words for a person.

No check knows another setting, and none ever repeats a secret.
"""

import base64
import binascii
import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from bot.datadog.sites import SITES, Site, locate, site_named

_TOKEN_KINDS = {
    "xoxb-": "a bot token (SLACK_BOT_TOKEN)",
    "xapp-": "an app-level token (SLACK_APP_TOKEN)",
    "xoxp-": "a user token",
    "xoxe": "a token that expires within hours (token rotation is on; use OAuth)",
}


def token(prefix: str) -> Callable[[SecretStr], SecretStr]:
    def check(secret: SecretStr) -> SecretStr:
        value = secret.get_secret_value()
        if not value.startswith(prefix):
            meaning = next((meaning for other, meaning in _TOKEN_KINDS.items() if value.startswith(other)), "")
            raise ValueError(f"must start with {prefix}{meaning and f', and this is {meaning}'}")
        if not re.fullmatch(r"[A-Za-z0-9-]+", value.removeprefix(prefix)):
            raise ValueError(f"is not a whole token: only letters, digits and dashes follow {prefix}")
        return secret

    return check


def without_spaces(secret: SecretStr) -> SecretStr:
    if any(character.isspace() for character in secret.get_secret_value()):
        raise ValueError("has a space or a line break inside; copy the value once more")
    return secret


def long_enough(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < 16:
        raise ValueError("is too easy to guess: at least 16 characters")
    return secret


def fernet_keys(secret: SecretStr) -> SecretStr:
    keys = split_keys(secret)
    broken = [str(place) for place, key in enumerate(keys, start=1) if not is_fernet_key(key)]
    if broken or not keys:
        raise ValueError(f"has no well-formed key at place {', '.join(broken) or '1'}")
    return secret


def split_keys(secret: SecretStr) -> list[str]:
    return [key for key in re.split(r"[,\s]+", secret.get_secret_value()) if key]


def is_fernet_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, altchars=b"-_", validate=True)) == 32
    except (binascii.Error, ValueError):
        return False


def known_site(value: str) -> str:
    site = site_named(value)
    if site is None:
        hint = _site_meant(value)
        meant = f" (did you mean {hint.domain}?)" if hint else ""
        raise ValueError(f"is not a Datadog site{meant}: it is one of {', '.join(each.domain for each in SITES)}")
    return site.domain


def _site_meant(value: str) -> Site | None:
    by_region = next((site for site in SITES if site.region == value.upper()), None)
    location = locate(_host(value if "//" in value else f"//{value}"))
    return by_region or (location.site if location else None)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def web_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("is not a web address: it must look like https://host.example.com")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must be a plain web address, without user name, ? or #")
    return value.rstrip("/")


def with_slash(value: str) -> str:
    return value.rstrip("/") + "/"  # slack_sdk joins method names to it


def async_database(value: str) -> str:
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):
        raise ValueError("is not a database URL") from None
    kind = url.drivername.split("+")[0]
    if kind == "sqlite":
        return _sqlite(url)
    if kind in {"postgres", "postgresql"}:
        return _postgresql(url)
    raise ValueError("names a database this bot does not know")


def _sqlite(url: URL) -> str:
    if url.host:
        raise ValueError("has a host, which an SQLite file has not (three slashes before its name)")
    folder = Path(url.database or "").parent
    if not folder.is_dir():
        raise ValueError(f"points into a folder that does not exist: {folder}")
    return url.set(drivername="sqlite+aiosqlite").render_as_string(hide_password=False)


def _postgresql(url: URL) -> str:
    if not _installed("asyncpg"):
        raise ValueError("needs the PostgreSQL driver: pip install 'bits-bot[postgres]'")
    if not url.host and "host" not in url.query:
        raise ValueError("names no host")
    query = dict(url.query)
    # libpq's words, printed by every hosting company; asyncpg has its own word for the first and none for the second
    if "sslmode" in query:
        query["ssl"] = query.pop("sslmode")
    query.pop("channel_binding", None)
    return url.set(drivername="postgresql+asyncpg", query=query).render_as_string(hide_password=False)


def _installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def existing_file(value: Path) -> Path:
    if not value.is_file():
        raise ValueError(f"names a file that does not exist: {value}")
    return value


def upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value
