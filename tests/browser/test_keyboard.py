"""Without a mouse: firing, finding a button in the thread, a window that gives the keyboard back, tabs and panes."""

from playwright.async_api import expect

from tests.browser.screen import Screen

FAR = 80


async def tab_to(screen: Screen, action: str) -> None:
    """Tab on until a control with this action id has the keyboard."""
    for _ in range(FAR):
        await screen.page.keyboard.press("Tab")
        if await screen.page.evaluate("document.activeElement?.dataset.actionId ?? ''") == action:
            return
    raise AssertionError(f"{FAR} times Tab do not lead to {action}")


async def test_an_alert_is_fired_and_a_window_opened_and_left_by_keys(screen: Screen) -> None:
    keys = screen.page.keyboard
    await screen.page.get_by_role("tab", name="Alerts").focus()
    await keys.press("ArrowRight")
    await expect(screen.page.get_by_role("tab", name="Investigations")).to_be_focused()
    await expect(screen.page.get_by_role("tab", name="Investigations")).to_have_attribute("aria-selected", "true")
    await keys.press("Home")
    await keys.press("Tab")
    await expect(screen.datadog.get_by_label("What")).to_be_focused()
    await keys.press("Tab")
    await keys.press("ArrowRight")
    await expect(screen.datadog.get_by_role("radio", name="Webhook")).to_be_checked()
    await keys.press("Tab")
    await keys.press("Tab")
    await expect(screen.datadog.get_by_role("button", name="Fire the alert")).to_be_focused()
    await keys.press("Enter")

    message = screen.slack.locator("[data-ts]").last
    await expect(message).to_contain_text("Triggered: Checkout latency is high")
    await expect(message.locator('[data-action-id="alert:more"]')).to_be_visible()
    await message.focus()
    await tab_to(screen, "alert:more")
    await keys.press("Enter")
    await expect(screen.page.get_by_role("menuitem", name="Create case")).to_be_focused()
    await keys.press("Enter")
    await expect(screen.modal.get_by_label("Title")).to_be_focused()
    await keys.press("Escape")
    await expect(screen.page.locator("[data-view-id]")).to_have_count(0)
    assert await screen.page.evaluate("document.querySelector('#slack').contains(document.activeElement)")


async def test_f6_walks_through_the_panes(screen: Screen) -> None:
    inside = "[...document.querySelectorAll('#top, #slack, #side')].find((pane) => pane.contains(document.activeElement))?.id"
    seen = []
    for _ in range(3):
        await screen.page.keyboard.press("F6")
        seen.append(await screen.page.evaluate(inside))
    assert sorted(seen) == ["side", "slack", "top"]


async def test_what_is_typed_is_kept_while_all_around_it_changes(screen: Screen) -> None:
    field = screen.composer
    await field.press_sequentially("half a sen")
    await screen.act("fire", kind="disk", via="message")
    await expect(screen.slack.locator("[data-ts]").last).to_contain_text("Disk of a database host")
    await field.press_sequentially("tence")
    await expect(field).to_be_focused()
    await field.press("Enter")
    await expect(screen.slack.locator("[data-ts]", has_text="half a sentence").last).to_be_visible()
