"""What the doctor looks at, in plain values: whoever calls it takes them from the settings."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.datadog.client import Datadog
from bot.datadog.sites import Site

ClientOf = Callable[[Site, str, str], Datadog]


@dataclass(frozen=True, slots=True)
class DatadogKeys:
    """Those of the settings."""

    site: Site
    api_key: str = field(repr=False)
    app_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Setup:
    slack_api_url: str
    database_url: str = field(repr=False)
    http_address: str  # where the bot's HTTP side listens on this machine
    client_of: ClientOf
    bot_token: str = field(default="", repr=False)
    app_token: str = field(default="", repr=False)
    signing_secret: str = field(default="", repr=False)
    uses_oauth: bool = False
    public_url: str = ""
    webhook_secret: str = field(default="", repr=False)
    encryption_keys: tuple[str, ...] = field(default=(), repr=False)
    datadog: DatadogKeys | None = None
