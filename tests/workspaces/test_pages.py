"""The pages of an install as a browser meets them: the cookie, the redirect, and a page for whatever goes wrong."""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from html import escape
from http.cookies import Morsel, SimpleCookie
from typing import cast

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from multidict import CIMultiDictProxy
from yarl import URL

from bot.workspaces.installing import (
    COOKIE,
    INSTALL,
    MOST_BEGUN,
    NO_STATE,
    NOT_A_BOT,
    OTHER_BROWSER,
    SECURE_COOKIE,
    UNREACHABLE,
    Installing,
    InstallOutcome,
    InstallPages,
    failed,
)

SLACK = "https://slack.com/oauth/v2/authorize?state=made-up"
PUBLIC = "https://bits.example.com"


DONE = InstallOutcome("", "Acme", "https://slack.com/app_redirect?app=A1&team=T1")


@dataclass
class OnStage:
    """Plays the part that stores and asks Slack."""

    done: InstallOutcome = DONE
    full: bool = False
    browsers: list[str] = field(default_factory=list)
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    async def begin(self, browser: str) -> str:
        self.browsers.append(browser)
        return "" if self.full else SLACK

    async def finish(self, *, state: str, code: str, browser: str) -> InstallOutcome:
        self.asked.append((state, code, browser))
        return self.done


class Browser:
    """Follows no redirect and keeps the one cookie by hand, so that each of its marks can be looked at."""

    def __init__(self, client: "TestClient[web.Request, web.Application]") -> None:
        self._client = client
        self.cookie = ""
        self.sends_as = SECURE_COOKIE

    async def get(self, path: str, method: str = "GET") -> tuple[ClientResponse, str]:
        headers = {"Cookie": f"{self.sends_as}={self.cookie}"} if self.cookie else {}
        response = await self._client.request(method, URL(path, encoded=True), headers=headers, allow_redirects=False)
        if (cookie := cookie_in(response.headers)) is not None:
            self.cookie = cookie.value
        return response, await response.text()


def cookie_in(headers: CIMultiDictProxy[str], name: str = SECURE_COOKIE) -> "Morsel[str] | None":
    return SimpleCookie(headers.get("Set-Cookie", "")).get(name)


@pytest.fixture
def stage() -> OnStage:
    return OnStage()


async def serving(stage: OnStage, public_url: str) -> AsyncIterator[Browser]:
    app = web.Application()
    app.add_routes(InstallPages(cast(Installing, stage), public_url).routes())
    async with TestClient(TestServer(app)) as client:
        client.session.cookie_jar.clear()
        yield Browser(client)


@pytest.fixture
async def browser(stage: OnStage) -> AsyncIterator[Browser]:
    async for one in serving(stage, PUBLIC):
        yield one


async def test_install_leads_to_slack_with_a_cookie_nothing_else_can_read(browser: Browser, stage: OnStage) -> None:
    response, _ = await browser.get("/slack/install")
    assert (response.status, response.headers["Location"]) == (302, SLACK)
    cookie = cookie_in(response.headers)
    assert cookie is not None
    assert cookie.value == stage.browsers[0]
    assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Lax")
    assert cookie["max-age"] == "600"
    assert (cookie.key, cookie["path"], cookie["domain"]) == ("__Host-bits_bot_install", "/", "")
    assert response.headers["Cache-Control"] == "no-store"


async def test_the_cookie_is_only_secure_where_there_is_https(stage: OnStage) -> None:
    async for browser in serving(stage, "http://127.0.0.1:3000"):
        response, _ = await browser.get("/slack/install")
        cookie = cookie_in(response.headers, COOKIE)
        assert cookie is not None
        assert not cookie["secure"]
        browser.sends_as, browser.cookie = COOKIE, cookie.value
        await browser.get("/slack/oauth_redirect?code=c1&state=s1")
        assert stage.asked == [("s1", "c1", stage.browsers[0])]


async def test_two_tabs_of_one_browser_both_get_through(browser: Browser, stage: OnStage) -> None:
    for _ in range(2):
        await browser.get("/slack/install")
    assert stage.browsers[0] == stage.browsers[1]


@pytest.mark.parametrize("planted", ["x", "a b", "a" * 65, "<script>" * 5])
async def test_a_cookie_that_is_not_ours_is_replaced(browser: Browser, stage: OnStage, planted: str) -> None:
    browser.cookie = planted
    await browser.get("/slack/install")
    assert planted not in stage.browsers


@pytest.mark.parametrize("query", ["code=c1&state=s1", "code=c1", "error=access_denied&state=s1", "error=oops", ""])
@pytest.mark.parametrize("problem", ["", NO_STATE, "invalid_code"])
async def test_the_cookie_is_used_once_whatever_comes_of_it(
    browser: Browser, stage: OnStage, query: str, problem: str
) -> None:
    stage.done = InstallOutcome(problem)
    await browser.get("/slack/install")
    assert browser.cookie
    response, _ = await browser.get(f"/slack/oauth_redirect?{query}")
    cookie = cookie_in(response.headers)
    assert cookie is not None
    # a browser takes back a cookie of this name only from an answer that could have set it
    assert (cookie.value, cookie["max-age"], cookie["path"], cookie["secure"]) == ("", "0", "/", True)


async def test_an_install_begun_with_the_cookie_of_an_earlier_version_starts_again(
    browser: Browser, stage: OnStage
) -> None:
    browser.sends_as, browser.cookie = COOKIE, "c" * 43
    stage.done = InstallOutcome(OTHER_BROWSER)  # what becomes of a browser that has sent none of ours
    response, page = await browser.get("/slack/oauth_redirect?code=c1&state=s1")
    assert stage.asked == [("s1", "c1", "")]
    assert response.status == 400
    assert f'href="{PUBLIC}/slack/install">Start again</a>' in page


async def test_where_too_many_are_begun_a_page_says_when_to_come_back(
    browser: Browser, stage: OnStage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.full = True
    response, page = await browser.get("/slack/install")
    assert (response.status, response.headers["Retry-After"]) == (429, "600")
    assert "start again in 10 minutes" in page
    assert browser.cookie == ""
    reference = page.split("Reference: ")[1][:6]
    assert f"an install was put off, reference {reference}: {MOST_BEGUN} are under way" in caplog.text


async def test_a_link_preview_begins_no_install(browser: Browser, stage: OnStage) -> None:
    response, _ = await browser.get("/slack/install", method="HEAD")
    assert response.status == 405
    assert stage.browsers == []


async def test_success_names_the_workspace_and_leads_into_slack(browser: Browser, stage: OnStage) -> None:
    await browser.get("/slack/install")
    response, page = await browser.get("/slack/oauth_redirect?code=c1&state=s1")
    assert response.status == 200
    assert stage.asked == [("s1", "c1", stage.browsers[0])]
    assert "<h1>Bits Bot is installed in Acme</h1>" in page
    assert 'href="https://slack.com/app_redirect?app=A1&amp;team=T1">Open in Slack</a>' in page
    assert browser.cookie == ""


async def test_an_org_wide_install_is_told_the_step_slack_leaves_to_admins(browser: Browser, stage: OnStage) -> None:
    stage.done = replace(DONE, name="Acme Group", org_wide=True)
    _, page = await browser.get("/slack/oauth_redirect?code=c1&state=s1")
    assert "installed in Acme Group" in page
    assert "Choose next in which workspaces it may work" in page


async def test_cancel_is_no_error(browser: Browser, stage: OnStage) -> None:
    response, page = await browser.get("/slack/oauth_redirect?error=access_denied&state=s1")
    assert response.status == 200
    assert "Nothing was installed" in page
    assert f'href="{PUBLIC}/slack/install">Start again</a>' in page
    assert stage.asked == []


OURS = (NO_STATE, OTHER_BROWSER, UNREACHABLE, NOT_A_BOT)
SLACKS = ("invalid_code", "code_already_used", "invalid_team_for_non_distributed_app", "bad_redirect_uri", "new_word")


@pytest.mark.parametrize("problem", [*OURS, *SLACKS])
async def test_every_failure_has_a_page_with_what_to_do(browser: Browser, stage: OnStage, problem: str) -> None:
    stage.done = InstallOutcome(problem)
    response, page = await browser.get("/slack/oauth_redirect?code=c1&state=s1")
    told = failed(problem, f"{PUBLIC}{INSTALL}", "A1B2C3")
    assert response.status == told.status >= 400
    assert escape(told.text) in page
    assert f'href="{PUBLIC}{INSTALL}">Start again</a>' in page


def test_each_failure_we_know_has_words_of_its_own() -> None:
    unknown = failed("new_word", "", "").text
    assert len({failed(problem, "", "").text for problem in OURS} - {unknown}) == len(OURS)
    assert failed("bad_redirect_uri", "", "").text != unknown


async def test_a_failure_we_cannot_explain_has_a_reference_that_stands_in_the_log(
    browser: Browser, stage: OnStage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.done = InstallOutcome("some_new_word")
    _, page = await browser.get("/slack/oauth_redirect?code=secret-code&state=secret-state")
    reference = page.split("Reference: ")[1][:6]
    assert f"reference {reference}: some_new_word" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    "query", ["", "?code=c1", "?state=s1", f"?code={'c' * 600}&state=s1", f"?code=c&state={'s' * 600}"]
)
async def test_an_address_without_slacks_answer_is_no_crash(browser: Browser, stage: OnStage, query: str) -> None:
    response, page = await browser.get(f"/slack/oauth_redirect{query}")
    assert response.status == 400
    assert "Slack&#x27;s answer is missing" in page
    assert stage.asked == []


@pytest.mark.parametrize(
    "error", [UNREACHABLE, NOT_A_BOT, NO_STATE, "bad_redirect_uri", "oops", "%00", "%ff", "x" * 600]
)
async def test_an_error_in_the_address_is_the_visitors_and_none_of_ours(browser: Browser, error: str) -> None:
    response, page = await browser.get(f"/slack/oauth_redirect?error={error}")
    assert response.status == 400
    assert "The install was not finished" in page


async def test_addresses_made_up_by_hundreds_are_a_line_of_the_log(
    browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(50):
        await browser.get(f"/slack/oauth_redirect?error=made_up_{number}")
        await browser.get("/slack/oauth_redirect")
    assert len(caplog.records) == 1


async def test_names_and_errors_cannot_write_into_the_page_or_the_log(
    browser: Browser, stage: OnStage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    stage.done = InstallOutcome(name="<script>alert(1)</script>", link='https://slack.com/"><img src=x>')
    _, page = await browser.get("/slack/oauth_redirect?code=c1&state=s1")
    assert "<script" not in page
    assert "<img" not in page
    _, page = await browser.get("/slack/oauth_redirect?error=%3Cb%3Ex%0Aforged%20line&state=s1")
    assert "<b>" not in page
    assert "\nforged" not in caplog.text


@pytest.mark.parametrize("path", ["/slack/oauth_redirect?code=c1&state=s1", "/slack/oauth_redirect?error=oops"])
async def test_pages_load_nothing_and_can_be_framed_nowhere(browser: Browser, path: str) -> None:
    response, page = await browser.get(path)
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Cache-Control"] == "no-store"
    assert not [mark for mark in ("<script", "<img", "<link", "@import", "src=") if mark in page]
    assert len(page) < 4000
