"""Installing by OAuth as Bolt does it: consent, codes, tokens that rotate, a whole organisation, leaving again."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_sdk.oauth.installation_store import FileInstallationStore
from slack_sdk.oauth.state_store import FileOAuthStateStore
from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import FakeSlack
from tests.sandbox.slack.conftest import Clock
from tests.sandbox.slack.harness import client_of, error_of, over_http

SCOPES = ["chat:write", "commands", "channels:history"]

# slack_sdk itself uses what newer versions of aiohttp advise against
pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def slack(clock: Clock) -> AsyncIterator[FakeSlack]:
    async with FakeSlack(installed=False, clock=clock, ack_seconds=30.0, event_retry_waits=()) as fake:
        fake.app.redirect_urls = ["http://127.0.0.1"]
        yield fake


@pytest.fixture
def store(slack: FakeSlack, tmp_path: Path) -> FileInstallationStore:
    return FileInstallationStore(base_dir=str(tmp_path / "installations"), client_id=slack.app.client_id)


@pytest.fixture
def app(slack: FakeSlack, store: FileInstallationStore, tmp_path: Path) -> AsyncApp:
    settings = AsyncOAuthSettings(
        client_id=slack.app.client_id,
        client_secret=slack.app.client_secret,
        scopes=SCOPES,
        authorization_url=slack.oauth.authorize_url,
        install_page_rendering_enabled=False,
        state_store=FileOAuthStateStore(expiration_seconds=600, base_dir=str(tmp_path / "states")),
    )
    client = AsyncWebClient(base_url=slack.api_url, retry_handlers=[])
    app = AsyncApp(
        client=client, signing_secret=slack.signing_secret, installation_store=store, oauth_settings=settings
    )
    app.enable_token_revocation_listeners()

    @app.command("/bits")
    async def bits(ack: Any, context: Any) -> None:
        await ack(f"here, team {context.team_id}")

    return app


class Browser:
    """A browser that follows nothing by itself."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self.cookies: dict[str, str] = {}

    async def go(self, url: str, form: dict[str, str] | None = None) -> tuple[int, str, str]:
        """Status, text, and where it is sent next."""
        method = "GET" if form is None else "POST"
        ours = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        async with self._session.request(method, url, data=form, headers=ours, allow_redirects=False) as response:
            self.cookies |= {name: cookie.value for name, cookie in response.cookies.items()}
            return response.status, await response.text(), response.headers.get("Location", "")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Browser(session)


async def install(
    slack: FakeSlack, url: str, browser: Browser, workspace: str, decision: str = "allow", **more: str
) -> tuple[int, str]:
    """From the install page to the last word of the app."""
    base = url.removesuffix("/events")
    slack.app.redirect_urls = [f"{base}/oauth_redirect"]
    _, _, consent = await browser.go(f"{base}/install")
    status, page, _ = await browser.go(consent)
    assert status == 200, page
    assert "Bits Bot is requesting permission" in page
    form = {name: values[0] for name, values in parse_qs(urlsplit(consent).query).items()}
    _, _, back = await browser.go(consent, form | {"workspace": workspace, "decision": decision, **more})
    status, text, _ = await browser.go(back)
    return status, text


async def test_two_workspaces_install_the_app_in_a_browser(
    slack: FakeSlack, app: AsyncApp, browser: Browser, store: FileInstallationStore
) -> None:
    other = slack.add_workspace("Globex")
    ana, gil = slack.workspace.add_user("ana"), other.add_user("gil")

    async with over_http(slack, app) as url:
        assert (await install(slack, url, browser, slack.workspace.id))[0] == 200
        assert (await install(slack, url, browser, other.id))[0] == 200
        channels = slack.workspace.add_channel("alerts"), other.add_channel("alerts")
        assert (await ana.command("/bits", in_=channels[0])).text == f"here, team {slack.workspace.id}"
        assert (await gil.command("/bits", in_=channels[1])).text == f"here, team {other.id}"

    stored = store.find_bot(enterprise_id=None, team_id=other.id)
    assert stored is not None
    assert other.install is not None
    assert stored.bot_token == other.install.bot_token
    assert stored.bot_scopes == sorted(SCOPES)


async def test_somebody_presses_cancel(slack: FakeSlack, app: AsyncApp, browser: Browser) -> None:
    async with over_http(slack, app) as url:
        status, text = await install(slack, url, browser, slack.workspace.id, decision="cancel")

    assert (status, "access_denied" in text) == (200, True)
    assert slack.workspace.install is None


def consent_url(slack: FakeSlack, **more: str) -> str:
    asked = {
        "client_id": slack.app.client_id,
        "scope": ",".join(SCOPES),
        "redirect_uri": "http://127.0.0.1/back",
        **more,
    }
    return f"{slack.oauth.authorize_url}?{'&'.join(f'{name}={value}' for name, value in asked.items())}"


def code_of(slack: FakeSlack, **more: Any) -> str:
    back = slack.oauth.approve(consent_url(slack), slack.workspace, **more)
    return parse_qs(urlsplit(back).query)["code"][0]


async def redeemed(slack: FakeSlack, code: str, **more: str) -> Any:
    mine = {"client_id": slack.app.client_id, "client_secret": slack.app.client_secret}
    client = AsyncWebClient(base_url=slack.api_url, retry_handlers=[])
    return await client.oauth_v2_access(**{**mine, "code": code, "redirect_uri": "http://127.0.0.1/back", **more})


async def test_a_code_is_good_once_for_its_address_and_for_ten_minutes(slack: FakeSlack, clock: Clock) -> None:
    code, late, elsewhere = code_of(slack), code_of(slack), code_of(slack)
    answer = await redeemed(slack, code)

    assert answer["token_type"] == "bot"
    assert answer["team"] == {"id": slack.workspace.id, "name": "Acme"}
    assert (await client_of(slack, answer["access_token"]).auth_test())["bot_id"]
    assert await error_of(redeemed(slack, code)) == "code_already_used"
    assert await error_of(redeemed(slack, elsewhere, redirect_uri="http://127.0.0.1/away")) == "bad_redirect_uri"
    assert await error_of(redeemed(slack, elsewhere, client_secret="wrong")) == "bad_client_secret"
    assert await error_of(redeemed(slack, elsewhere, client_id="wrong")) == "invalid_client_id"
    clock.now += 601
    assert await error_of(redeemed(slack, late)) == "invalid_code"


async def test_slack_shows_no_page_for_a_wrong_address(slack: FakeSlack, browser: Browser) -> None:
    status, text, _ = await browser.go(consent_url(slack, redirect_uri="https://evil.example"))

    assert (status, "bad_redirect_uri" in text) == (400, True)


async def test_tokens_that_rotate(slack: FakeSlack, clock: Clock) -> None:
    slack.app.rotates_tokens = True
    answer = await redeemed(slack, code_of(slack))
    first, refresh = answer["access_token"], answer["refresh_token"]
    assert answer["expires_in"] == 12 * 60 * 60

    client = AsyncWebClient(base_url=slack.api_url, retry_handlers=[])
    rotator = AsyncTokenRotator(client_id=slack.app.client_id, client_secret=slack.app.client_secret, client=client)
    stored = _installation(slack, answer)
    renewed = await rotator.perform_token_rotation(installation=stored, minutes_before_expiration=60 * 24 * 365 * 50)
    assert renewed is not None
    assert renewed.bot_token not in (None, first)

    await client_of(slack, first).auth_test()
    clock.now += 12 * 60 * 60 + 1
    assert await error_of(client_of(slack, first).auth_test()) == "token_expired"
    assert await error_of(client_of(slack, str(renewed.bot_token)).auth_test()) == "token_expired"
    again = await rotator.perform_token_rotation(installation=renewed, minutes_before_expiration=60 * 24 * 365 * 50)
    assert again is not None
    await client_of(slack, str(again.bot_token)).auth_test()
    reused = client.oauth_v2_access(
        client_id=slack.app.client_id,
        client_secret=slack.app.client_secret,
        grant_type="refresh_token",
        refresh_token=refresh,
    )
    assert await error_of(reused) == "invalid_refresh_token"


def _installation(slack: FakeSlack, answer: Any) -> Any:
    from slack_sdk.oauth.installation_store import Installation

    return Installation(
        user_id=answer["authed_user"]["id"],
        team_id=slack.workspace.id,
        bot_token=answer["access_token"],
        bot_refresh_token=answer["refresh_token"],
        bot_token_expires_in=answer["expires_in"],
        bot_id="B1",
        bot_user_id=answer["bot_user_id"],
    )


async def test_a_whole_organisation(
    slack: FakeSlack, app: AsyncApp, browser: Browser, store: FileInstallationStore
) -> None:
    enterprise = slack.add_enterprise("Umbrella")
    north, south = (slack.add_workspace(name, enterprise=enterprise) for name in ("North", "South"))
    people = north.add_user("nia"), south.add_user("sol")

    async with over_http(slack, app) as url:
        assert (await install(slack, url, browser, north.id, org_wide="1"))[0] == 200
        for workspace, person in zip((north, south), people, strict=True):
            channel = workspace.add_channel(f"alerts-{workspace.name}")
            assert (await person.command("/bits", in_=channel)).text == f"here, team {workspace.id}"

    stored = store.find_bot(enterprise_id=enterprise.id, team_id=None, is_enterprise_install=True)
    assert stored is not None
    client = client_of(slack, str(stored.bot_token))
    who = await client.auth_test()
    assert (who["is_enterprise_install"], who["enterprise_id"]) == (True, enterprise.id)
    assert await error_of(client.users_list()) == "missing_scope"
    north.scopes.add("users:read")
    assert await error_of(client.users_list()) == "missing_argument"
    assert len((await client.users_list(team_id=south.id))["members"]) == 2
    assert await error_of(client.users_list(team_id=slack.workspace.id)) == "team_access_not_granted"


async def test_leaving_and_coming_back(
    slack: FakeSlack, app: AsyncApp, browser: Browser, store: FileInstallationStore
) -> None:
    async with over_http(slack, app) as url:
        await install(slack, url, browser, slack.workspace.id)
        left = slack.workspace.install
        assert left is not None
        slack.uninstall(left)
        await slack.wait_for(lambda: [record for record in slack.deliveries if record.acknowledged][1:])
        await slack.wait_for(lambda: store.find_bot(enterprise_id=None, team_id=slack.workspace.id) is None)
        assert await error_of(client_of(slack, left.bot_token).auth_test()) == "account_inactive"

        await install(slack, url, browser, slack.workspace.id)
        back = slack.workspace.install

    assert back is not None
    assert back.bot_token != left.bot_token
    assert back.bot_user_id == left.bot_user_id
    kinds = {record.payload["event"]["type"] for record in slack.deliveries if "event" in record.payload}
    assert kinds == {"tokens_revoked", "app_uninstalled"}
