"""Every setting of the bot: its name, its meaning and where a person gets it. Values are checked here and used elsewhere.

Clients and parts take plain arguments; only the composition root and the commands hold the `Settings` object.
"""

import difflib
import ipaddress
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from dotenv.parser import parse_stream
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url

from bot import config_values
from bot.datadog.sites import SITES, Site, site_named

SlackMode = Literal["socket", "http"]

_APP_PAGE = "get it at api.slack.com/apps > your app"
_APP_CREDENTIALS = f"{_APP_PAGE} > Basic Information > App Credentials"
_NEW_KEY = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
_PASTED_AROUND = " \t\r\n\N{ZERO WIDTH NO-BREAK SPACE}\N{ZERO WIDTH SPACE}\N{NO-BREAK SPACE}"
_QUOTES = ('""', "''", "``", "\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}")
_MAY_HOLD_ANY_LETTER = {"bits_channels_file", "database_url"}  # both may name a file
_OAUTH_PAIR = ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET")
_OAUTH_NEEDS = ("BITS_ENCRYPTION_KEYS", "BITS_PUBLIC_URL")

_Problem = tuple[str, str]  # the variable (or the file), and the sentence about it


class SettingsProblems(Exception):  # noqa: N818 - it carries several problems, each a sentence for a person
    """The settings cannot be used. `problems` has one sentence each, without any secret's value."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Hint:
    """What a person needs to repair a setting: where its value is found, and which form it has."""

    where: str = ""
    form: str = ""


Secret = Annotated[SecretStr, AfterValidator(config_values.without_spaces)]
BotToken = Annotated[Secret, AfterValidator(config_values.token("xoxb-"))]
AppToken = Annotated[Secret, AfterValidator(config_values.token("xapp-"))]
SharedSecret = Annotated[Secret, AfterValidator(config_values.long_enough)]
FernetKeys = Annotated[SecretStr, AfterValidator(config_values.fernet_keys)]
WebUrl = Annotated[str, AfterValidator(config_values.web_url)]
ExistingFile = Annotated[Path, AfterValidator(config_values.existing_file)]
Seconds = Annotated[
    float, Field(gt=0, le=3600, allow_inf_nan=False), Hint(form="a number of seconds above 0, at most 3600")
]
Minutes = Annotated[
    float, Field(gt=0, le=1440, allow_inf_nan=False), Hint(form="a number of minutes above 0, at most 1440")
]
Port = Annotated[int, Field(ge=0, le=65535), Hint(form="a port from 0 to 65535; 0 takes any free one")]
LogFormat = Annotated[Literal["text", "json"], BeforeValidator(config_values.lower), Hint(form="text or json")]
LogLevel = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR"],
    BeforeValidator(config_values.upper),
    Hint(form="DEBUG, INFO, WARNING or ERROR"),
]


class Settings(BaseSettings):
    """What the environment and `.env` say. `load_settings` also checks what belongs together; start with that."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        env_file_encoding="utf-8-sig",
        hide_input_in_errors=True,
    )

    slack_bot_token: Annotated[BotToken | None, Hint(f"{_APP_PAGE} > OAuth & Permissions > Bot User OAuth Token")] = (
        Field(default=None, description="The bot's own token in one workspace (xoxb-...). Not needed with OAuth.")
    )
    slack_app_token: Annotated[
        AppToken | None, Hint(f"{_APP_PAGE} > Basic Information > App-Level Tokens, scope connections:write")
    ] = Field(
        default=None, description="App-level token (xapp-...). When given: Socket Mode, no public address needed."
    )
    slack_signing_secret: Annotated[Secret | None, Hint(f"{_APP_CREDENTIALS} > Signing Secret")] = Field(
        default=None, description="Proves that HTTP requests come from Slack. Needed when there is no SLACK_APP_TOKEN."
    )
    slack_client_id: Annotated[str | None, Hint(f"{_APP_CREDENTIALS} > Client ID")] = Field(
        default=None, description="With SLACK_CLIENT_SECRET: several workspaces install the bot themselves (OAuth)."
    )
    slack_client_secret: Annotated[Secret | None, Hint(f"{_APP_CREDENTIALS} > Client Secret")] = Field(
        default=None, description="Belongs to SLACK_CLIENT_ID."
    )
    slack_api_url: Annotated[WebUrl, AfterValidator(config_values.with_slash)] = Field(
        default="https://slack.com/api/", description="Slack's Web API; changed only for a proxy or a test."
    )

    dd_site: Annotated[str, AfterValidator(config_values.known_site)] = Field(
        default="datadoghq.com", description="The Datadog site your organisation lives on, as in its web address."
    )
    dd_api_key: Annotated[Secret | None, Hint("get it in Datadog > Organization Settings > API Keys")] = Field(
        default=None, description="The organisation's API key. With OAuth it may be connected in Slack instead."
    )
    dd_app_key: Annotated[Secret | None, Hint("get it in Datadog > Organization Settings > Application Keys")] = Field(
        default=None,
        description="An application key, best of a service account: the bot may do what its owner may do.",
    )
    dd_api_url: WebUrl | None = Field(
        default=None, description="Overrides the API address of the site, for a proxy or a test."
    )

    database_url: Annotated[
        str,
        AfterValidator(config_values.async_database),
        Hint(form="sqlite:///file.sqlite3 or postgresql://user:password@host/name"),
    ] = Field(
        default="sqlite+aiosqlite:///bits-bot.sqlite3",
        repr=False,  # a PostgreSQL URL holds a password
        description="Where the bot keeps its work: an SQLite file, or PostgreSQL for several replicas.",
    )
    bits_encryption_keys: Annotated[FernetKeys | None, Hint(f"make one with {_NEW_KEY}")] = Field(
        default=None,
        description="Keys that encrypt stored tokens, comma between: the first encrypts, all decrypt. Needed with OAuth.",
    )
    bits_webhook_secret: Annotated[
        SharedSecret | None,
        Hint("take any long random text, and put the same into Datadog's webhook"),
    ] = Field(default=None, description="Shared with Datadog's webhook, so that nobody else can send alerts.")
    bits_public_url: Annotated[WebUrl | None, Hint("it is the https address under which Slack reaches this bot")] = (
        Field(default=None, description="The bot's own address as seen from outside. Needed with OAuth.")
    )
    bits_http_host: str = Field(
        default="127.0.0.1", description="Address the HTTP side listens on; 0.0.0.0 in a container."
    )
    bits_http_port: Port = Field(default=3000, description="Port the HTTP side listens on.")

    bits_poll_first_seconds: Seconds = Field(default=20, description="From a start to the first look at its result.")
    bits_poll_seconds: Seconds = Field(default=15, description="Between looks, during the first ten minutes.")
    bits_poll_slow_seconds: Seconds = Field(default=60, description="Between looks, after ten minutes.")
    bits_deadline_minutes: Minutes = Field(
        default=45, description="When the bot stops waiting for an investigation, and says so."
    )
    bits_settle_seconds: Seconds = Field(
        default=20,
        description="How long work of a dead process is left alone. Longer than the longest request, or it is done twice.",
    )
    bits_channels_file: ExistingFile | None = Field(
        default=None, description="Channel rules kept as a file (YAML or JSON); it wins over what is set in Slack."
    )
    bits_log_format: LogFormat = Field(default="text", description="text for people, json for log collectors.")
    bits_log_level: LogLevel = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR.")

    _warnings: tuple[str, ...] = PrivateAttr(())

    @model_validator(mode="before")
    @classmethod
    def _unwrap_pasted_values(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        cleaned = {name: _unwrapped(value) if isinstance(value, str) else value for name, value in given.items()}
        return {name: value for name, value in cleaned.items() if value != ""}

    @field_validator("*", mode="before")
    @classmethod
    def _plain_letters(cls, value: object, info: ValidationInfo) -> object:
        if isinstance(value, str) and not value.isascii() and info.field_name not in _MAY_HOLD_ANY_LETTER:
            raise ValueError(
                "has a character that no such value has (a masked or reformatted copy?); copy it once more"
            )
        return value

    @property
    def slack_mode(self) -> SlackMode:
        return "socket" if self.slack_app_token else "http"

    @property
    def uses_oauth(self) -> bool:
        """Several workspaces install the bot themselves; otherwise it serves the one of SLACK_BOT_TOKEN."""
        return self.slack_client_id is not None and self.slack_client_secret is not None

    @property
    def site(self) -> Site:
        return next(site for site in SITES if site.domain == self.dd_site)

    @property
    def datadog_api_url(self) -> str:
        return self.dd_api_url or self.site.api_url

    @property
    def encryption_keys(self) -> tuple[SecretStr, ...]:
        """The first encrypts, all decrypt."""
        return (
            tuple(map(SecretStr, config_values.split_keys(self.bits_encryption_keys)))
            if self.bits_encryption_keys
            else ()
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences about what is odd but does not stop a start."""
        return self._warnings


def load_settings(env_file: Path | None = Path(".env")) -> Settings:
    """The settings of this start. The environment wins over the file; every problem is reported at once."""
    problems = _broken_lines(env_file)
    given = _given(env_file)
    problems += _problems_together(given)
    settings = None
    try:
        settings = Settings(_env_file=env_file)
    except ValidationError as error:
        problems += [_sentence(str(each["loc"][0]), each["type"], each["msg"]) for each in error.errors()]
    if settings is None or problems:
        raise SettingsProblems([sentence for _, sentence in sorted(problems, key=_place)])
    settings._warnings = (*_unknown_names(given), *_odd_values(settings))  # noqa: SLF001 - set once, here
    return settings


def variables() -> dict[str, str]:
    """Every variable and its meaning, in the order of the documentation."""
    return {name.upper(): field.description or "" for name, field in Settings.model_fields.items()}


def _broken_lines(env_file: Path | None) -> list[_Problem]:
    if env_file is None or not env_file.is_file():
        return []
    try:
        text = env_file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsProblems([f"{env_file} cannot be read ({type(error).__name__}): save it as UTF-8."]) from None
    broken = [binding.original.line for binding in parse_stream(StringIO(text)) if binding.error]
    return [("", f"Line {line} of {env_file} is not of the form NAME=value: correct or remove it.") for line in broken]


def _given(env_file: Path | None) -> dict[str, str]:
    """What is set, by its name; read once more beside the fields, to see what is missing and what is misspelt."""
    logging.getLogger("dotenv.main").setLevel(logging.ERROR)  # broken lines have a sentence of ours
    readable = env_file is not None and env_file.is_file()
    in_file = dotenv_values(env_file, encoding="utf-8-sig") if readable else {}
    merged = {**in_file, **{name: value for name, value in os.environ.items() if value}}
    cleaned = {name.upper(): _unwrapped(value or "") for name, value in merged.items()}
    return {name: value for name, value in cleaned.items() if value}


def _unwrapped(value: str) -> str:
    bare = value.strip(_PASTED_AROUND)
    while len(bare) >= 2 and bare[0] + bare[-1] in _QUOTES:
        bare = bare[1:-1].strip(_PASTED_AROUND)
    return bare


def _problems_together(given: Mapping[str, str]) -> Iterator[_Problem]:
    """What is missing or does not fit, given everything else; the form of a single value is the fields' own matter."""
    oauth = [name for name in _OAUTH_PAIR if name in given]
    if len(oauth) == 1:
        yield from (_missing(name, f"it belongs to {oauth[0]}") for name in _OAUTH_PAIR if name not in given)
    elif oauth:
        yield from (_missing(name, "OAuth needs it") for name in _OAUTH_NEEDS if name not in given)
    elif "SLACK_BOT_TOKEN" not in given:
        yield _missing("SLACK_BOT_TOKEN")
    if not {"SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"} & set(given):
        yield _no_way_in()
    yield from _datadog_problems(given, optional=bool(oauth))


def _no_way_in() -> _Problem:
    socket, http = (_hint(name).where for name in ("SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"))
    sentence = (
        f"SLACK_APP_TOKEN is missing (for Socket Mode; {socket}), and so is SLACK_SIGNING_SECRET (for HTTP; {http})."
    )
    return "SLACK_APP_TOKEN", sentence


def _datadog_problems(given: Mapping[str, str], *, optional: bool) -> Iterator[_Problem]:
    keys = ("DD_API_KEY", "DD_APP_KEY")
    if not optional or any(key in given for key in keys):
        yield from (_missing(key) for key in keys if key not in given)
    site = site_named(given.get("DD_SITE", ""))
    if site and not site.supports_bits and "DD_API_URL" not in given:
        reason = "Datadog does not offer Bits AI there"
        yield "DD_SITE", f"DD_SITE is {site.domain} ({site.region}), and {reason}; use an organisation on another site."


def _missing(name: str, reason: str = "") -> _Problem:
    because = f" ({reason})" if reason else ""
    return name, f"{name} is missing{because}: {_hint(name).where}."


def _sentence(field: str, kind: str, message: str) -> _Problem:
    name = field.upper()
    hint = _hint(name)
    what = message.removeprefix("Value error, ") if kind == "value_error" else "is not usable"
    form = f": it must be {hint.form}" if hint.form else ""
    where = f"; {hint.where}" if hint.where else ""
    return name, f"{name} {what}{form}{where}."


def _hint(name: str) -> Hint:
    metadata = Settings.model_fields[name.lower()].metadata
    return next((each for each in metadata if isinstance(each, Hint)), Hint())


def _place(problem: _Problem) -> int:
    name = problem[0].lower()
    return list(Settings.model_fields).index(name) if name else -1


def _unknown_names(given: Mapping[str, str]) -> Iterator[str]:
    known = variables()
    for name in sorted(given):
        if name.startswith("BITS_") and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            meant = f"; did you mean {near[0]}?" if near else "."
            yield f"{name} is not a setting of this bot and has no effect{meant}"


def _odd_values(settings: Settings) -> Iterator[str]:
    for name in ("slack_api_url", "dd_api_url", "bits_public_url"):
        url = getattr(settings, name)
        if url and urlsplit(url).scheme == "http" and not _is_loopback(urlsplit(url).hostname or ""):
            yield f"{name.upper()} is not https: tokens and alerts travel readable for everyone on the way."
    if make_url(settings.database_url).database in {None, "", ":memory:"}:
        yield "DATABASE_URL keeps everything in memory: a restart forgets running investigations."
    if _hex_digits(settings.dd_api_key) == 40 and _hex_digits(settings.dd_app_key) == 32:
        yield "DD_API_KEY looks like an application key and DD_APP_KEY like an API key: are they swapped?"
    if settings.uses_oauth and settings.slack_bot_token:
        yield "SLACK_BOT_TOKEN has no effect: with SLACK_CLIENT_ID each workspace has a token of its own."


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _hex_digits(secret: SecretStr | None) -> int:
    """How many, for a key that consists of nothing else."""
    value = secret.get_secret_value() if secret else ""
    return len(value) if set(value.lower()) <= set("0123456789abcdef") else 0
