"""One demo and one browser for all tests of a process; each test gets a page of its own."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.browser.demo import BROWSERS, SWITCHES, find_chromium, running_demo
from tests.browser.screen import Screen

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser stays with the loop it was started on."""
    for item in items:
        if item.path.is_relative_to(HERE) and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def chromium() -> str:
    found = find_chromium()
    if found is None:
        missing = f"no browser on the PATH: {', '.join(BROWSERS)}"
        if os.environ.get("CI"):
            pytest.fail(f"{missing}; these tests are never left out in CI")
        pytest.skip(f"{missing}; install Chromium to run these tests")
    return found


@pytest.fixture(scope="session")
def demo(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    assert chromium
    with running_demo(tmp_path_factory.mktemp("demo")) as address:
        yield address


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(SWITCHES))
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def screen(browser: Browser, demo: str) -> AsyncIterator[Screen]:
    """A desktop's page; what earlier tests left in Slack and Datadog stays, as it does for people."""
    async with Screen.on(browser, demo) as screen:
        await screen.tidy()
        await screen.open()
        yield screen
