"""What is broken on purpose, and how it is seen to recover; and investigations that end otherwise than hoped."""

from playwright.async_api import Locator, expect

from tests.browser.screen import A_START, Screen


async def breaks(screen: Screen, whose: str, name: str) -> Locator:
    panel = await screen.datadogs("Break it")
    switch = panel.get_by_role("region", name=f"What {whose} does").get_by_role("switch", name=name)
    await switch.click()
    await expect(switch).to_be_checked()
    return switch


async def test_a_bot_that_was_killed_hears_of_what_it_missed(screen: Screen) -> None:
    panel = await screen.datadogs("Break it")
    await panel.get_by_role("button", name="Kill it").click()
    await expect(panel.get_by_role("status")).to_contain_text("What happens now waits for it.")
    await expect(screen.page.locator("#top")).to_contain_text("The bot is stopped")

    missed = await screen.fire("Composite monitor", via="Webhook")
    panel = await screen.datadogs("Break it")
    await panel.get_by_role("button", name="Start").click()
    await expect(panel.get_by_role("status")).to_contain_text("The bot is running.", timeout=A_START)
    await expect(missed).to_contain_text("Triggered: Orders are stuck")
    await expect(panel.locator(".log")).to_contain_text("INFO")


async def test_datadog_asks_for_patience_and_the_investigation_goes_on(screen: Screen) -> None:
    alert = await screen.fire("Log monitor")
    await screen.open_thread(alert)
    switch = await breaks(screen, "Datadog", "Too many requests")
    await screen.control("alert:investigate", screen.thread).click()
    await screen.page.get_by_role("tab", name="What just happened").click()
    journal = screen.page.locator("#journal")
    await journal.get_by_role("button", name="Failed").click()
    await expect(journal.locator(".outcome", has_text="429").first).to_be_visible()

    await expect(screen.thread).to_contain_text("AI-written")
    await screen.datadogs("Break it")
    await expect(switch).not_to_be_checked()


async def test_a_revoked_key_is_told_to_who_asked(screen: Screen) -> None:
    await breaks(screen, "Datadog", "The application key is revoked")
    await screen.ask_bits()
    await expect(screen.thread).to_contain_text("My Datadog key may not do this.")


async def test_while_slack_is_down_nothing_arrives_and_the_page_says_so(screen: Screen) -> None:
    switch = await breaks(screen, "Slack", "Slack is down")
    field = screen.composer
    await field.fill("anybody here?")
    await field.press("Enter")
    await expect(screen.slack.get_by_role("alert")).to_contain_text("Slack is down")
    await switch.click()
    await expect(switch).not_to_be_checked()
    await field.fill("anybody here now?")
    await field.press("Enter")
    await expect(screen.slack.locator("[data-ts]").last).to_contain_text("anybody here now?")


async def test_an_investigation_ends_as_it_was_chosen_to_and_when(screen: Screen) -> None:
    panel = await screen.datadogs("Investigations")
    await panel.get_by_label("How they end").select_option("inconclusive")
    await panel.get_by_role("radio", name="1 min").check()
    await screen.ask_bits("APM monitor")
    await screen.datadogs("Investigations")
    run = panel.locator("[data-investigation]").first
    await expect(run).to_contain_text("Will end: inconclusive")
    await run.get_by_role("button", name="Finish now").click()
    await expect(run).to_contain_text("inconclusive")
    await expect(screen.thread).to_contain_text("No clear cause")


async def test_the_journal_pauses_filters_and_shows_what_was_sent(screen: Screen) -> None:
    await screen.page.get_by_role("tab", name="What just happened").click()
    journal = screen.page.locator("#journal")
    await journal.get_by_role("button", name="Pause").click()
    await screen.act("fire", kind="slo", via="message")
    await expect(journal.get_by_role("button", name="Go on (")).to_be_visible()
    await expect(journal.get_by_text("An alert fires: SLO")).to_have_count(0)
    await journal.get_by_role("button", name="Go on").click()

    await journal.get_by_role("button", name="Slack", exact=True).click()
    await journal.get_by_label("Filter the calls").fill("chat.postMessage")
    call = journal.locator(".call").first
    await expect(call).to_contain_text("Bot → Slack")
    await call.locator("summary").click()
    await expect(call.get_by_label("Request")).to_contain_text('"channel"')
    await expect(call.get_by_label("Answer")).to_contain_text('"ok": true')
    await journal.get_by_label("Filter the calls").fill("no such call")
    await expect(journal).to_contain_text("No call fits what you asked for.")
