"""Every setting of the bot: its name, its meaning and where a person gets it; what is missing or does not fit together.
What a single value may be is in config_values.py.

Clients and parts take plain arguments; only those who put them together, and the commands, hold the `Settings` object.
"""

import difflib
import ipaddress
import logging
import os
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from dotenv.parser import parse_stream
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from sqlalchemy.engine import make_url

from bot.config_values import (
    AppToken,
    BotToken,
    CertificateFile,
    DatabaseUrl,
    Days,
    ExistingFile,
    FernetKeys,
    Hint,
    LogFormat,
    LogLevel,
    Minutes,
    Port,
    ProxyUrl,
    Seconds,
    Secret,
    SharedSecret,
    SiteDomain,
    SlackApi,
    Switch,
    WebUrl,
    WorkspaceIds,
    split_keys,
)
from bot.datadog.links import SITES, Site
from bot.storage.retention import Kept

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


def _days(kept: Kept) -> Any:
    return Field(kept.days, description=kept.meaning)


class Settings(BaseModel):
    """What the environment and `.env` say, each meaning below its variable. `load_settings` also checks what belongs together;
    start with that."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    slack_bot_token: Annotated[BotToken | None, Hint(f"{_APP_PAGE} > OAuth & Permissions > Bot User OAuth Token")] = (
        None
    )
    """The bot's own token in one workspace (xoxb-...). Not needed with OAuth."""
    slack_app_token: Annotated[
        AppToken | None, Hint(f"{_APP_PAGE} > Basic Information > App-Level Tokens, scope connections:write")
    ] = None
    """App-level token (xapp-...). When given: Socket Mode, no public address needed."""
    slack_signing_secret: Annotated[Secret | None, Hint(f"{_APP_CREDENTIALS} > Signing Secret")] = None
    """Proves that HTTP requests come from Slack. Needed when there is no SLACK_APP_TOKEN."""
    slack_client_id: Annotated[str | None, Hint(f"{_APP_CREDENTIALS} > Client ID")] = None
    """With SLACK_CLIENT_SECRET: several workspaces install the bot themselves (OAuth)."""
    slack_client_secret: Annotated[Secret | None, Hint(f"{_APP_CREDENTIALS} > Client Secret")] = None
    """Belongs to SLACK_CLIENT_ID."""
    slack_api_url: SlackApi = "https://slack.com/api/"
    """Slack's Web API; changed only for a proxy or a test."""

    dd_site: SiteDomain = "datadoghq.com"
    """The Datadog site your organisation lives on, as in its web address."""
    dd_api_key: Annotated[Secret | None, Hint("get it in Datadog > Organization Settings > API Keys")] = None
    """The organisation's API key. With OAuth it may be connected in Slack instead."""
    dd_app_key: Annotated[Secret | None, Hint("get it in Datadog > Organization Settings > Application Keys")] = None
    """An application key, best of a service account: the bot may do what its owner may do."""
    dd_api_url: WebUrl | None = None
    """Overrides the API address of the site, for a proxy or a test."""
    dd_workspaces: WorkspaceIds = frozenset()
    """With OAuth: ids of the workspaces or enterprises, comma between, that DD_API_KEY serves; no other may use it."""

    database_url: DatabaseUrl = Field(
        "sqlite+aiosqlite:///bits-bot.sqlite3", repr=False
    )  # PostgreSQL's holds a password
    """Where the bot keeps its work: an SQLite file, or PostgreSQL for several replicas."""
    bits_encryption_keys: Annotated[FernetKeys | None, Hint(f"make one with {_NEW_KEY}")] = None
    """Keys that encrypt stored tokens, comma between: the first encrypts, all decrypt. Needed with OAuth."""
    bits_webhook_secret: Annotated[
        SharedSecret | None, Hint("take any long random text, and put the same into Datadog's webhook")
    ] = None
    """Lets alerts of the settings' own organisation in; one that is connected in Slack has a secret of its own."""
    bits_public_url: Annotated[WebUrl | None, Hint("it is the https address under which Slack reaches this bot")] = None
    """The bot's own address as seen from outside. Needed with OAuth."""
    bits_allowed_workspaces: WorkspaceIds = frozenset()
    """With OAuth: ids of the workspaces or enterprises, comma between, that may install the bot; empty for anybody."""
    bits_http_host: str = "127.0.0.1"
    """Address the HTTP side listens on; 0.0.0.0 in a container."""
    bits_http_port: Port = 3000
    """Port the HTTP side listens on; left out, it is PORT where a platform sets that."""

    https_proxy: Annotated[ProxyUrl | None, Hint(form="http://host:port or http://user:password@host:port")] = None
    """The proxy through which the bot reaches Slack and Datadog, its socket included; else HTTP_PROXY. Not for the database."""
    no_proxy: str = ""
    """Hosts, domains and networks that are reached without it, comma between."""
    ssl_cert_file: Annotated[CertificateFile | None, Hint(form="a file of certificates in PEM form")] = None
    """Certificate authorities to trust in place of the machine's own."""
    bits_ca_file: Annotated[CertificateFile | None, Hint(form="a file of certificates in PEM form")] = None
    """Certificate authorities to trust besides, as a company's own."""

    bits_poll_first_seconds: Seconds = 20
    """From a start to the first look at its result."""
    bits_poll_seconds: Seconds = 15
    """Between looks, during the first ten minutes."""
    bits_poll_slow_seconds: Seconds = 60
    """Between looks, after ten minutes."""
    bits_deadline_minutes: Minutes = 45
    """When the bot stops waiting for an investigation, and says so."""
    bits_settle_seconds: Seconds = 20
    """How long work of a dead process is left alone. Longer than the longest request, or it is done twice."""
    bits_work_objects: Switch = False
    """Case cards also carry one of Slack's Work Objects, whose details open beside the conversation; its app setting and event come
    with `bits-bot manifest --work-objects`."""
    bits_channels_file: ExistingFile | None = None
    """Channel rules kept as a file (YAML or JSON); it wins over what is set in Slack."""
    bits_keep_conclusions_days: Days = _days(Kept.CONCLUSIONS)
    bits_keep_alerts_days: Days = _days(Kept.ALERTS)
    bits_keep_cases_days: Days = _days(Kept.CASES)
    bits_keep_audit_days: Days = _days(Kept.AUDIT)
    bits_keep_budget_days: Days = _days(Kept.BUDGET)
    bits_keep_asks_days: Days = _days(Kept.ASKS)
    bits_keep_deliveries_days: Days = _days(Kept.DELIVERIES)
    bits_keep_insights_days: Days = _days(Kept.INSIGHTS)
    bits_keep_seen_alerts_days: Days = _days(Kept.SEEN_ALERTS)
    bits_keep_webhook_days: Days = _days(Kept.WEBHOOK)

    bits_log_format: LogFormat = "text"
    """text for people, json for log collectors."""
    bits_log_level: LogLevel = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""

    _warnings: tuple[str, ...] = PrivateAttr(())

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
    def encryption_keys(self) -> tuple[SecretStr, ...]:
        """The first encrypts, all decrypt."""
        return tuple(map(SecretStr, split_keys(self.bits_encryption_keys))) if self.bits_encryption_keys else ()

    @property
    def keep_days(self) -> Mapping[Kept, int]:
        return {
            Kept.CONCLUSIONS: self.bits_keep_conclusions_days,
            Kept.ALERTS: self.bits_keep_alerts_days,
            Kept.CASES: self.bits_keep_cases_days,
            Kept.AUDIT: self.bits_keep_audit_days,
            Kept.BUDGET: self.bits_keep_budget_days,
            Kept.ASKS: self.bits_keep_asks_days,
            Kept.DELIVERIES: self.bits_keep_deliveries_days,
            Kept.INSIGHTS: self.bits_keep_insights_days,
            Kept.SEEN_ALERTS: self.bits_keep_seen_alerts_days,
            Kept.WEBHOOK: self.bits_keep_webhook_days,
        }

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences about what is odd but does not stop a start."""
        return self._warnings


_OTHERWISE = {
    "HTTPS_PROXY": "HTTP_PROXY",  # as Slack's own clients take it
    "BITS_HTTP_PORT": "PORT",  # where a platform expects us
    "SLACK_BOT_TOKEN": "SLACK_CLI_XOXB",  # of an app that `slack run` has made
    "SLACK_APP_TOKEN": "SLACK_CLI_XAPP",
}
FOR_THE_DATABASE = frozenset({"DATABASE_URL", "BITS_ENCRYPTION_KEYS", "BITS_LOG_FORMAT", "BITS_LOG_LEVEL"})


def load_settings(env_file: Path | None = Path(".env"), *, only: frozenset[str] = frozenset()) -> Settings:
    """The settings of this start. The environment wins over the file; every problem is reported at once. `only`: what a command
    needs that serves nobody; the others are neither asked for nor looked at."""
    problems = _broken_lines(env_file)
    given = what_is_set(env_file)
    if only:
        given = {name: value for name, value in given.items() if name in only}
    for name, otherwise in _OTHERWISE.items():
        if otherwise in given:
            given.setdefault(name, given[otherwise])
    problems += () if only else _problems_together(given)
    settings = None
    try:
        settings = Settings.model_validate({name.lower(): value for name, value in given.items()})
    except ValidationError as error:
        problems += [_sentence(str(each["loc"][0]), each["type"], each["msg"]) for each in error.errors()]
    if settings is None or problems:
        raise SettingsProblems([sentence for _, sentence in sorted(problems, key=_place)])
    settings._warnings = () if only else (*_unknown_names(given), *_odd_values(settings))  # noqa: SLF001 - set once, here
    return settings


def variables() -> tuple[str, ...]:
    """Every variable, in the order of the documentation."""
    return tuple(name.upper() for name in Settings.model_fields)


def _broken_lines(env_file: Path | None) -> list[_Problem]:
    if env_file is None or not env_file.is_file():
        return []
    try:
        text = env_file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsProblems([f"{env_file} cannot be read ({type(error).__name__}): save it as UTF-8."]) from None
    broken = [binding.original.line for binding in parse_stream(StringIO(text)) if binding.error]
    return [("", f"Line {line} of {env_file} is not of the form NAME=value: correct or remove it.") for line in broken]


def what_is_set(env_file: Path | None) -> dict[str, str]:
    """In the environment, else in the file; by its name, without what clings to a pasted value."""
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
        socket, http = (_hint(name).where for name in ("SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"))
        missing = f"SLACK_APP_TOKEN is missing (for Socket Mode; {socket}), and so is SLACK_SIGNING_SECRET"
        yield "SLACK_APP_TOKEN", f"{missing} (for HTTP; {http})."
    yield from _datadog_problems(given, optional=bool(oauth))


def _datadog_problems(given: Mapping[str, str], *, optional: bool) -> Iterator[_Problem]:
    keys = ("DD_API_KEY", "DD_APP_KEY")
    if not optional or any(key in given for key in keys):
        yield from (_missing(key) for key in keys if key not in given)


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
    yield from _odd_names(settings)
    if settings.uses_oauth and settings.slack_bot_token:
        yield "SLACK_BOT_TOKEN has no effect: with SLACK_CLIENT_ID each workspace has a token of its own."


def _odd_names(settings: Settings) -> Iterator[str]:
    if not settings.uses_oauth:
        for name in ("dd_workspaces", "bits_allowed_workspaces"):
            if getattr(settings, name):
                yield f"{name.upper()} has no effect: without OAuth, the bot serves the workspace of SLACK_BOT_TOKEN only."
    elif settings.dd_api_key is None and settings.dd_workspaces:
        yield "DD_WORKSPACES has no effect: there is no DD_API_KEY that could serve them."
    elif settings.dd_api_key is not None and not settings.dd_workspaces:
        yield (
            "DD_API_KEY serves nobody: with OAuth, DD_WORKSPACES has to name the workspaces (T...) or enterprises (E...) "
            "that may use it. Everybody else connects a Datadog organisation of their own, with /bits connect."
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _hex_digits(secret: SecretStr | None) -> int:
    """How many, for a key that consists of nothing else."""
    value = secret.get_secret_value() if secret else ""
    return len(value) if set(value.lower()) <= set("0123456789abcdef") else 0
