"""The rules of axe (WCAG 2.2 A and AA, and its best practices) hold wherever a person gets to, in light and dark."""

from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Browser, expect

from tests.browser.screen import PHONE, Screen

ALL: dict[str, Any] = {"resultTypes": ["violations"]}
ONLY_CONTRAST = ALL | {"runOnly": ["color-contrast"]}


async def breaches(screen: Screen, where: str) -> list[str]:
    """What breaks a rule, named so that one finds it: all rules in light, and in dark what depends on colours."""
    light: Any = await Axe().run(screen.page, options=ALL)
    await screen.page.emulate_media(color_scheme="dark")
    dark: Any = await Axe().run(screen.page, options=ONLY_CONTRAST)
    await screen.page.emulate_media(color_scheme="light")
    return [
        f"{where}: {violation['id']} ({violation['help']}) at {' '.join(map(str, node['target']))}: {node['html'][:160]}"
        for results in (light, dark)
        for violation in results.response["violations"]
        for node in violation["nodes"]
    ]


async def walk(screen: Screen) -> list[str]:
    """Through everything that can be on the screen."""
    found = []
    await screen.ask_bits()
    for part in ("Alerts", "Investigations", "Cases", "Break it"):
        await screen.datadogs(part)
        found += await breaches(screen, part)
    await expect(screen.thread).to_contain_text("AI-written")
    found += await breaches(screen, "a thread")
    await screen.page.get_by_role("tab", name="What just happened").click()
    await screen.page.locator("#journal summary").first.click()
    found += await breaches(screen, "what just happened")
    await screen.control("conclusions:create_case", screen.thread).click()
    await expect(screen.modal.get_by_label("Title")).to_be_visible()
    found += await breaches(screen, "a window")
    await screen.modal.locator('[data-action-id="case_project"]').click()
    await expect(screen.page.get_by_role("option").first).to_be_visible()
    found += await breaches(screen, "a list in a window")
    await screen.page.keyboard.press("Escape")
    await screen.page.keyboard.press("Escape")
    await screen.slack.get_by_role("link", name="Bits Bot").click()
    await expect(screen.page.locator("[data-home]").get_by_role("heading").first).to_be_visible()
    found += await breaches(screen, "Home")
    await screen.page.get_by_role("button", name="Tour").click()
    found += await breaches(screen, "the tour")
    return found


@pytest.mark.timeout(240)
async def test_everything_on_the_page_keeps_the_rules(screen: Screen) -> None:
    found = await walk(screen)
    assert not found, "\n".join(found)


async def test_on_a_phone_as_well(browser: Browser, demo: str) -> None:
    async with Screen.on(browser, demo, size=PHONE) as screen:
        await screen.tidy()
        await screen.open()
        found = await breaches(screen, "Slack")
        for pane in ("Datadog", "What happened"):
            await screen.page.get_by_role("navigation", name="Panes").get_by_role("button", name=pane).click()
            found += await breaches(screen, pane)
        assert not found, "\n".join(found)
