"""Switching between people: each sees their own Slack, with their own private answers, windows and rights."""

from playwright.async_api import expect

from tests.browser.screen import Screen


async def becomes(screen: Screen, name: str) -> None:
    await screen.page.locator("#person").click()
    await screen.page.get_by_role("menuitemradio", name=name).click()
    await expect(screen.page.locator("#person")).to_contain_text(name)


async def types(screen: Screen, text: str) -> None:
    field = screen.composer
    await field.fill(text)
    await field.press("Enter")


async def test_who_is_somebody_else_sees_other_channels_and_a_reload_keeps_them(screen: Screen) -> None:
    side = screen.slack.locator("[data-channel]")
    await expect(side.filter(has_text="oncall-private")).to_be_visible()
    await becomes(screen, "Gil Stein")
    await expect(side.filter(has_text="alerts").first).to_be_visible()
    await expect(side.filter(has_text="oncall-private")).to_have_count(0)
    await screen.reload()
    await expect(screen.page.locator("#person")).to_contain_text("Gil Stein")
    await becomes(screen, "Olga Petri")
    await expect(side.filter(has_text="acme-globex").first).to_be_visible()
    await expect(side.filter(has_text="payments")).to_have_count(0)


async def test_an_answer_only_for_one_is_seen_by_nobody_else(screen: Screen) -> None:
    await screen.visit("alerts")
    await types(screen, "/bits help")
    private = screen.slack.locator("[data-ts]", has_text="Only visible to you").last
    await expect(private).to_contain_text("/bits")
    await becomes(screen, "Ben Okafor")
    await expect(screen.slack.locator("[data-ts]", has_text="Only visible to you")).to_have_count(0)
    await becomes(screen, "Ana Ruiz")
    await expect(private).to_be_visible()


async def test_two_people_ask_and_one_investigation_is_started(screen: Screen) -> None:
    before = len((await screen.state())["datadog"]["investigations"])
    await screen.act("set_speed", seconds=60)
    await screen.ask_bits("Synthetic test")
    await expect(screen.thread).to_contain_text("Asked by @Ana Ruiz")
    await becomes(screen, "Ben Okafor")
    alert = screen.thread.locator("[data-ts]").first
    await alert.hover()
    await alert.get_by_role("button", name="More actions").click()
    await screen.page.get_by_role("menuitem", name="Investigate with Bits").click()
    answer = screen.slack.locator("[data-ts]", has_text="Only visible to you").last
    await expect(answer).to_contain_text("investigation of this is already running")
    state = await screen.state()
    assert len(state["datadog"]["investigations"]) == before + 1
    await screen.act("finish", investigation=state["datadog"]["investigations"][0]["id"])
    await expect(screen.thread).to_contain_text("AI-written")


async def test_a_guest_is_told_why_not(screen: Screen) -> None:
    alert = await screen.fire()
    await becomes(screen, "Gil Stein")
    await screen.open_thread(alert)
    await screen.control("alert:investigate", screen.thread).click()
    await expect(screen.thread.locator("[data-ts]", has_text="Only visible to you")).to_contain_text("uest")
