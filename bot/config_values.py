"""What one setting may hold. Each check answers in words for a person, and none repeats a secret.

Which settings there are, and what belongs together, is in config.py.
"""

import base64
import binascii
import difflib
import importlib.util
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlencode, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from bot.datadog.links import SITES, Site, locate, site_named


@dataclass(frozen=True, slots=True)
class Hint:
    """What a person needs to repair a setting: where its value is found, and which form it has."""

    where: str = ""
    form: str = ""


_TOKEN_KINDS = {
    "xoxb-": "a bot token (SLACK_BOT_TOKEN)",
    "xapp-": "an app-level token (SLACK_APP_TOKEN)",
    "xoxp-": "a user token",
    "xoxe": "a token that expires within hours (token rotation is on; use OAuth)",
}


def _token(prefix: str) -> Callable[[SecretStr], SecretStr]:
    def check(secret: SecretStr) -> SecretStr:
        value = secret.get_secret_value()
        if not value.startswith(prefix):
            meaning = next((meaning for other, meaning in _TOKEN_KINDS.items() if value.startswith(other)), "")
            raise ValueError(f"must start with {prefix}{meaning and f', and this is {meaning}'}")
        if not re.fullmatch(r"[A-Za-z0-9-]+", value.removeprefix(prefix)):
            raise ValueError(f"is not a whole token: only letters, digits and dashes follow {prefix}")
        return secret

    return check


def _without_spaces(secret: SecretStr) -> SecretStr:
    value = secret.get_secret_value()
    if any(character.isspace() for character in value):
        raise ValueError("has a space or a line break inside; copy the value once more")
    if not value.isascii() or not value.isprintable():
        raise ValueError("has a character inside that no key or token has; copy the value once more")
    return secret


def _long_enough(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < 16:
        raise ValueError("is too easy to guess: at least 16 characters")
    return secret


def _fernet_keys(secret: SecretStr) -> SecretStr:
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


def _known_site(value: str) -> str:
    site = site_named(value)
    if site is None:
        hint = _site_meant(value)
        meant = f" (did you mean {hint.domain}?)" if hint else ""
        raise ValueError(f"is not a Datadog site{meant}: it is one of {', '.join(each.domain for each in SITES)}")
    return site.domain


def _site_meant(value: str) -> Site | None:
    by_region = next((site for site in SITES if site.region == value.upper()), None)
    host = _host(value if "//" in value else f"//{value}")
    location = locate(host)
    near = difflib.get_close_matches(host.removeprefix("app."), [site.domain for site in SITES], n=1)
    return by_region or (location.site if location else site_named(near[0]) if near else None)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _web_url(value: str) -> str:
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


def _with_slash(value: str) -> str:
    return f"{value}/"  # slack_sdk joins method names to it


def _async_database(value: str) -> str:
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


_NOT_FOR_US = {"application_name", "channel_binding", "connect_timeout", "gssencmode", "pgbouncer", "sslnegotiation"}
_LIBPQS = {"options", "sslcert", "sslcrl", "sslkey", "sslmode", "sslrootcert"}
_DRIVERS = {"dsn", "host", "port", "prepared_statement_cache_size", "ssl", "target_session_attrs"}


def _sqlite(url: URL) -> str:
    if url.host:
        raise ValueError("has a host, which an SQLite file has not (three slashes before its name)")
    folder = Path(url.database or "").parent
    if not folder.is_dir():
        raise ValueError(f"points into a folder that does not exist: {folder}")
    return url.set(drivername="sqlite+aiosqlite").render_as_string(hide_password=False)


def _postgresql(url: URL) -> str:
    if importlib.util.find_spec("asyncpg") is None:
        raise ValueError("needs the PostgreSQL driver: pip install asyncpg")
    if not url.host and "host" not in url.query:
        raise ValueError("names no host")
    query = {name: value for name, value in url.query.items() if name not in _NOT_FOR_US}
    if unknown := query.keys() - _LIBPQS - _DRIVERS:
        raise ValueError(f"has a part that the PostgreSQL driver does not know: ?{min(unknown)}")
    # libpq's words, printed by every hosting company: asyncpg has a word of its own for the first, the others it reads in a URL
    if query.keys() & _LIBPQS == {"sslmode"}:
        query["ssl"] = query.pop("sslmode")
    elif told := {name: query.pop(name) for name in query.keys() & _LIBPQS}:
        query["dsn"] = f"postgresql:///?{urlencode(sorted(told.items()), doseq=True)}"
    return url.set(drivername="postgresql+asyncpg", query=query).render_as_string(hide_password=False)


def _proxy(secret: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(secret.get_secret_value())
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("is not a proxy that the bot can use")
    return secret


def _certificates(value: Path) -> Path:
    try:
        ssl.create_default_context(cafile=_existing_file(value))
    except OSError:
        raise ValueError(f"names a file without certificates: {value}") from None
    return value


def _workspace_ids(value: object) -> object:
    if not isinstance(value, str):
        return value
    ids = [word for word in re.split(r"[,\s]+", value) if word]
    odd = [str(place) for place, word in enumerate(ids, start=1) if not re.fullmatch(r"[TE][A-Z0-9]{2,30}", word)]
    if odd:
        raise ValueError(f"has no id of a workspace (T...) or of an enterprise (E...) at place {', '.join(odd)}")
    return frozenset(ids)


def _existing_file(value: Path) -> Path:
    if not value.is_file():
        raise ValueError(f"names a file that does not exist: {value}")
    return value


Secret = Annotated[SecretStr, AfterValidator(_without_spaces)]
BotToken = Annotated[Secret, AfterValidator(_token("xoxb-"))]
AppToken = Annotated[Secret, AfterValidator(_token("xapp-"))]
SharedSecret = Annotated[Secret, AfterValidator(_long_enough)]
FernetKeys = Annotated[SecretStr, AfterValidator(_fernet_keys)]
WebUrl = Annotated[str, AfterValidator(_web_url)]
WorkspaceIds = Annotated[
    frozenset[str],
    BeforeValidator(_workspace_ids),
    Hint("in a browser it stands in Slack's address, app.slack.com/client/T..., several with commas between"),
]
ProxyUrl = Annotated[SecretStr, AfterValidator(_proxy)]
CertificateFile = Annotated[Path, AfterValidator(_certificates)]
ExistingFile = Annotated[Path, AfterValidator(_existing_file)]
Seconds = Annotated[
    float, Field(gt=0, le=3600, allow_inf_nan=False), Hint(form="a number of seconds above 0, at most 3600")
]
Minutes = Annotated[
    float, Field(gt=0, le=1440, allow_inf_nan=False), Hint(form="a number of minutes above 0, at most 1440")
]
Days = Annotated[int, Field(ge=1, le=3650), Hint(form="a whole number of days from 1 to 3650")]
Port = Annotated[int, Field(ge=0, le=65535), Hint(form="a port from 0 to 65535; 0 takes any free one")]
Switch = Annotated[bool, Hint(form="true or false")]
LogFormat = Annotated[Literal["text", "json"], BeforeValidator(str.lower), Hint(form="text or json")]
LogLevel = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(str.upper), Hint(form="DEBUG, INFO, WARNING or ERROR")
]
SlackApi = Annotated[WebUrl, AfterValidator(_with_slash)]
SiteDomain = Annotated[str, AfterValidator(_known_site)]
DatabaseUrl = Annotated[
    str,
    AfterValidator(_async_database),
    Hint(form="sqlite:///file.sqlite3 or postgresql://user:password@host/name"),
]
