"""The app's Home, and the window in which an admin sets up a channel."""

from playwright.async_api import expect

from tests.browser.screen import Screen
from tests.browser.test_cases_and_insights import chooses
from tests.browser.test_people import becomes, types


async def test_home_shows_what_runs_and_its_buttons_answer(screen: Screen) -> None:
    await screen.slack.get_by_role("link", name="Bits Bot").click()
    home = screen.page.locator("[data-home]")
    await expect(home.get_by_role("heading").first).to_be_visible()
    await screen.reload()
    await expect(home.get_by_role("heading").first).to_be_visible()


async def test_settings_open_say_what_is_wrong_and_are_kept(screen: Screen) -> None:
    await becomes(screen, "Cora Lind")
    await screen.visit("payments")
    await types(screen, "/bits settings")
    modal = screen.modal
    await expect(modal.get_by_role("heading").first).to_be_visible()
    await chooses(screen, modal.locator('[data-action-id="settings:case_project"]'), "Payments (PAY)")
    await modal.locator("button[type=submit]").click()
    await expect(screen.page.locator("[data-view-id]")).to_have_count(0)

    await types(screen, "/bits settings")
    await expect(screen.modal.locator('[data-action-id="settings:case_project"]')).to_contain_text("Payments (PAY)")
    await screen.page.keyboard.press("Escape")
    await expect(screen.page.locator("[data-view-id]")).to_have_count(0)
