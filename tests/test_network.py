"""The bot inside a company's network: everything it sends goes through the proxy, which is trusted by a file, and what stands
in the way is told apart from trouble of Slack's or Datadog's."""

import gc
import logging
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from yarl import URL

from bot.app import Bot
from bot.cli import _setup
from bot.config import Settings, load_settings
from bot.connections import StartError, way_out
from bot.datadog import client
from bot.doctor.examination import examine
from bot.network import USER_AGENT, WayOut
from bot.sandbox.datadog.faults import Fault
from bot.slack import socket
from bot.wording import AI_WRITTEN, version
from tests.e2e.town import Town
from tests.proxy import Authority, LoggingProxy
from tests.starts import SOCKET_MODE, Environment, problems

SLACK, SOCKET, DATADOG = "slack.outside.test", "wss.outside.test", "api.outside.test"
NOBODY = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def tried_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_BACKOFF", (0.0,))


class Company(Town):
    """Only the proxy knows the way to Slack and Datadog."""

    def __init__(
        self, folder: Path, *, password: str = "", refuses: int = 0, knows_socket: bool = True, **settings: Any
    ) -> None:
        super().__init__(folder)
        self._knows_socket = knows_socket
        self.authority = Authority(folder)
        self._of_proxy = {"password": password, "refuses": refuses}
        self._changes = settings
        self.proxy: LoggingProxy

    def settings(self) -> Settings:
        changes = {
            "slack_api_url": f"https://{SLACK}/api/",
            "dd_api_url": f"https://{DATADOG}",
            "https_proxy": SecretStr(self.proxy.url),
            "bits_ca_file": self.authority.file,
        }
        return super().settings().model_copy(update=changes | self._changes)

    async def open_proxy(self) -> None:
        outside = {SLACK: self.slack.api_url, DATADOG: self.datadog.url}
        if self._knows_socket:
            outside[SOCKET] = self.slack.api_url
        self.proxy = await self._stack.enter_async_context(
            LoggingProxy(self.authority, outside, **self._of_proxy)  # type: ignore[arg-type]
        )
        self.slack.sockets.base = f"wss://{SOCKET}"

    async def start_bot(self) -> None:
        await self.open_proxy()
        await super().start_bot()


class NotStarted(Company):
    async def start_bot(self) -> None:
        await self.open_proxy()
        self.bot = Bot(self.settings())

    async def told(self, **way: Any) -> dict[str, str]:
        """What the doctor says of each, other than that it is well."""
        findings = await examine(_setup(self.settings().model_copy(update=way)))
        return {each.name: f"{each.told} -> {each.fix}" for each in findings if each.state == "fail"}

    async def refused(self) -> str:
        with pytest.raises(StartError) as error:
            await self.bot.start()
        return str(error.value)


async def test_an_investigation_goes_through_the_proxy_to_slack_its_socket_and_datadog(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with Company(tmp_path, password="bits:s3cret") as town:
        alert = await town.alert()
        await town.ana.shortcut("investigate_message", on=alert.message)
        await town.reads(alert.message, AI_WRITTEN)
        assert set(town.proxy.log) == {f"CONNECT {host}:443" for host in (SLACK, SOCKET, DATADOG)}
        assert "s3cret" not in repr(town.settings())
        assert town.proxy.agents == {USER_AGENT} == {f"bits-bot/{version()}"}
    gc.collect()  # a task that ended with an error nobody asked for says so then
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR] == []


async def test_what_needs_no_proxy_goes_straight(tmp_path: Path) -> None:
    async with NotStarted(tmp_path, no_proxy=".outside.test") as town:
        assert "DNS" in await town.refused()
        assert town.proxy.log == []


async def test_each_obstacle_is_told_from_trouble_of_slacks_and_datadogs(tmp_path: Path) -> None:
    async with NotStarted(tmp_path) as town:
        assert await town.told() == {}
        assert set(town.proxy.log) == {f"CONNECT {host}:443" for host in (SLACK, DATADOG)}
        everything = {"Slack token", "Slack socket", "Datadog (default)"}
        for way, words in (
            ({"https_proxy": SecretStr(NOBODY)}, "the proxy can't be reached -> Correct HTTPS_PROXY"),
            ({"bits_ca_file": None}, "its certificate is not trusted (unable to get local issuer certificate)"),
            ({"https_proxy": None}, "its name is not known (DNS)"),
        ):
            told = await town.told(**way)
            assert set(told) == everything
            assert [name for name, said in told.items() if words not in said] == []
        town.datadog.faults.add(Fault("*", "*", times=99, status=503))
        assert "did not answer usefully -> Check the network" in (await town.told())["Datadog (default)"]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"password": "bits:s3cret"}, "the proxy wants a user name and a password (HTTP 407)"),
        ({"refuses": 502}, "the proxy does not let us through (HTTP 502)"),
    ],
)
async def test_a_proxy_that_refuses(tmp_path: Path, how: dict[str, Any], words: str) -> None:
    async with NotStarted(tmp_path, **how) as town:
        town.proxy.url = town.proxy.url.replace("bits:s3cret@", "bits:wr0ng@")
        told = await town.told()
        assert [name for name, said in told.items() if words not in said] == []
        assert set(told) == {"Slack token", "Slack socket", "Datadog (default)"}
        town.bot = Bot(town.settings())
        start = await town.refused()
        assert words in start
        assert "wr0ng" not in start + str(told)


async def test_a_socket_that_the_proxy_does_not_let_through_says_so(tmp_path: Path) -> None:
    """Its address is another than that of the calls."""
    async with NotStarted(tmp_path, knows_socket=False) as town:
        assert "Slack's socket can't be reached: the proxy does not let us through (HTTP 403)" in await town.refused()


async def test_a_socket_that_the_proxy_drops_later_is_opened_again_at_a_new_address(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "PING_EVERY", 0.05)
    async with Company(tmp_path) as town:
        way = town.proxy._outside.pop(SOCKET)
        opened = town.slack.sockets.opened
        town.slack.sockets.cut()
        await town.slack.wait_for(lambda: "trying again" in caplog.text)
        town.proxy._outside[SOCKET] = way
        await town.slack.wait_for(lambda: town.slack.sockets.opened > opened)
    assert "Slack's socket can't be opened (the proxy does not let us through (HTTP 403)): trying again" in caplog.text
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    ("url", "no_proxy", "goes_straight"),
    [
        ("https://slack.com/api/", "", False),
        ("wss://wss-primary.slack.com/link", "", False),
        ("https://slack.com/api/", "slack.com", True),
        ("https://a.slack.com/", ".Slack.com , x", True),
        ("https://a.slack.com/", "*.slack.com", True),
        ("https://notslack.com/", "slack.com", False),
        ("https://slack.com/", "slack.com:443", True),
        ("https://slack.com/", "slack.com:80", False),
        ("https://slack.com/", "a, *", True),
        ("https://slack.com/", " , ", False),
        ("https://10.1.2.3/", "10.0.0.0/8", True),
        ("https://11.1.2.3/", "10.0.0.0/8", False),
        ("https://[fd00::1]/", "fd00::/8", True),
        ("http://127.0.0.1:4000/", "", True),
        ("http://[::1]:4000/", "", True),
        ("http://localhost:4000/", "", True),
    ],
)
def test_who_is_reached_without_the_proxy(url: str, no_proxy: str, *, goes_straight: bool) -> None:
    way = WayOut("http://proxy.example.com:3128", no_proxy)
    assert (way.proxy_for(URL(url)) is None) is goes_straight
    assert WayOut().proxy_for(URL(url)) is None


def test_the_settings_of_the_way_out(environment: Environment, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    environment(SOCKET_MODE, http_proxy="http://a:b@proxy:1", NO_PROXY="x", BITS_CA_FILE=str(authority.file))
    assert way_out(load_settings()) == WayOut("http://a:b@proxy:1", "x", trusted_too=authority.file)
    environment(https_proxy="https://proxy:2", SSL_CERT_FILE=str(authority.file))
    assert way_out(load_settings()) == WayOut("https://proxy:2", "x", authority.file, authority.file)
    (tmp_path / "empty.pem").write_text("nothing")
    environment(https_proxy="socks5://a:s3cret@proxy:1", SSL_CERT_FILE="/no/such", BITS_CA_FILE=f"{tmp_path}/empty.pem")
    proxy, cert, ca = problems()
    assert "HTTPS_PROXY is not a proxy that the bot can use: it must be http://host:port" in proxy
    assert "s3cret" not in proxy
    assert "SSL_CERT_FILE names a file that does not exist: /no/such" in cert
    assert "BITS_CA_FILE names a file without certificates" in ca
