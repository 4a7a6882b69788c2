"""The guided tour: from the alert to the recovery by Next alone, over a reload, by one's own hands, and past a failure."""

from playwright.async_api import Locator, expect

from tests.browser.screen import A_START, Screen


class Tour:
    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self.card: Locator = screen.page.get_by_role("dialog").and_(screen.page.locator("#tour *"))

    async def start(self) -> None:
        await self._screen.act("set_speed", seconds=60)  # only Next ends a run while we look
        await self._screen.page.get_by_role("button", name="Tour").click()
        await self.is_at("From an alert to a closed case")

    async def is_at(self, title: str) -> None:
        await expect(self.card.get_by_role("heading")).to_have_text(title)

    async def press(self, name: str) -> None:
        await self.card.get_by_role("button", name=name, exact=True).click()

    async def next_to(self, *titles: str) -> None:
        for title in titles:
            await self.press("Next")
            await self.is_at(title)


async def test_next_leads_from_the_alert_to_the_recovery_and_survives_a_reload(screen: Screen) -> None:
    tour = Tour(screen)
    await tour.start()
    await tour.next_to("Three in the morning", "One click starts Bits AI")
    card = screen.slack.locator("[data-ts]", has_text="Triggered: Checkout latency is high").last
    await expect(card.locator('[data-action-id="alert:investigate"]')).to_be_visible()
    await tour.next_to("It works, and says so", "The conclusions, where the question was")
    await expect(screen.thread).to_contain_text("Connection pool of payments-db is exhausted")

    await screen.reload()
    await tour.is_at("The conclusions, where the question was")
    await expect(screen.thread).to_contain_text("Connection pool of payments-db is exhausted")

    await tour.next_to("A case, filled in already", "Change what you like")
    await expect(screen.modal.get_by_label("Title")).to_have_value("Checkout latency is high on env:prod")
    await tour.next_to("One card a case")
    await expect(screen.thread).to_contain_text("@Ana Ruiz opened this case")
    await tour.next_to("Paste links, get insights", "There they are")
    await expect(screen.datadog.locator("[data-case]").first.locator("[data-insight]")).to_have_count(5)
    await tour.next_to("All is well again", "Green")
    await expect(screen.thread.locator("[data-ts]").first).to_contain_text("Recovered: Checkout latency is high")
    await tour.next_to("What just happened")
    await expect(screen.page.locator("#journal")).to_contain_text("submits “Attach insights”")
    await tour.press("Done")
    await expect(tour.card).to_be_hidden()

    seen = (await screen.state())["datadog"]
    assert len(seen["cases"][0]["insights"]) == 5
    assert seen["investigations"][0]["status"] == "conclusive"
    assert not seen["alerts"][0]["state"].startswith("Alert")


async def test_what_a_person_does_by_hand_counts_and_back_does_nothing_twice(screen: Screen) -> None:
    tour = Tour(screen)
    await tour.start()
    await tour.next_to("Three in the morning")
    card = await screen.fire(via="Webhook")
    await tour.is_at("One click starts Bits AI")
    await screen.control("alert:investigate", card).click()
    await tour.is_at("It works, and says so")

    await tour.press("Back")
    await tour.is_at("One click starts Bits AI")
    before = (await screen.state())["datadog"]
    await tour.next_to("It works, and says so")
    after = (await screen.state())["datadog"]
    assert len(after["investigations"]) == len(before["investigations"])
    await tour.press("Skip")
    await expect(tour.card).to_be_hidden()
    await screen.reload()
    await expect(tour.card).to_be_hidden()


async def test_a_step_that_fails_says_why_and_is_tried_again(screen: Screen) -> None:
    tour = Tour(screen)
    await tour.start()
    await tour.next_to("Three in the morning", "One click starts Bits AI")
    await screen.act("bot", do="stop")
    header = screen.page.get_by_role("banner")
    await expect(header).to_contain_text("The bot is stopped")
    await tour.press("Next")
    problem = tour.card.get_by_role("alert")
    await expect(problem).to_contain_text("That did not work.")
    await expect(problem).to_contain_text("The bot is stopped: start it under Datadog, Break it.")

    await screen.act("bot", do="start")
    await expect(header).to_contain_text("The bot is running", timeout=A_START)
    await tour.press("Try again")
    await tour.is_at("It works, and says so")


async def test_with_the_keyboard_alone(screen: Screen) -> None:
    tour = Tour(screen)
    await screen.page.get_by_role("button", name="Tour").focus()
    await screen.page.keyboard.press("Enter")
    await tour.is_at("From an alert to a closed case")
    await expect(tour.card.get_by_role("button", name="Next")).to_be_focused()
    await screen.page.keyboard.press("Enter")
    await tour.is_at("Three in the morning")
    await screen.page.keyboard.press("ArrowLeft")
    await tour.is_at("From an alert to a closed case")
    await screen.page.keyboard.press("ArrowRight")
    await tour.is_at("Three in the morning")
    await screen.page.keyboard.press("Escape")
    await expect(tour.card).to_be_hidden()
    await expect(screen.page.get_by_role("button", name="Tour")).to_be_focused()
