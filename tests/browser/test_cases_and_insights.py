"""Cases and their insights, on both sides of the page: made in Slack, changed in Datadog, filled from pasted links."""

from playwright.async_api import Locator, expect

from tests.browser.screen import Screen


async def opens_the_form(screen: Screen) -> Locator:
    """Of a case about an alert of the disk monitor."""
    await screen.open_thread(await screen.fire("Host monitor"))
    await screen.control("alert:create_case", screen.thread).click()
    await expect(screen.modal.get_by_role("heading", name="Create case")).to_be_visible()
    return screen.modal


async def picks(screen: Screen, field: Locator, words: str) -> None:
    """What it does is soon over in a message: the bot draws it anew, with nothing chosen."""
    await field.click()
    await screen.page.get_by_role("option", name=words).first.click()


async def chooses(screen: Screen, field: Locator, words: str) -> None:
    await picks(screen, field, words)
    await expect(field).to_contain_text(words)


async def makes_a_case(screen: Screen) -> str:
    """Its key."""
    modal = await opens_the_form(screen)
    await chooses(screen, modal.locator('[data-action-id="case_project"]'), "Payments")
    await modal.get_by_role("button", name="Create", exact=True).click()
    await expect(modal).to_contain_text("Created ")
    await modal.get_by_role("button", name="Close", exact=True).last.click()
    await expect(screen.page.locator("[data-view-id]")).to_have_count(0)
    key: str = (await screen.state())["datadog"]["cases"][0]["key"]
    return key


async def test_a_form_says_at_the_field_what_is_missing_and_keeps_what_was_written(screen: Screen) -> None:
    modal = await opens_the_form(screen)
    await modal.get_by_label("Title").fill("")
    await modal.get_by_role("button", name="Create", exact=True).click()
    await expect(modal.get_by_role("alert").first).to_contain_text("Please complete this required field.")
    async with screen.page.expect_response("**/api/act"):
        await modal.get_by_label("Title").fill("The disk of a shard fills up")
    await screen.reload()
    await expect(screen.modal.get_by_label("Title")).to_have_value("The disk of a shard fills up")
    await chooses(screen, screen.modal.locator('[data-action-id="case_project"]'), "Site reliability")
    await screen.modal.get_by_role("button", name="Create", exact=True).click()
    await expect(screen.modal).to_contain_text("Created ")
    await expect(screen.thread).to_contain_text("The disk of a shard fills up")


async def test_a_case_of_slack_stands_in_datadog_and_is_changed_on_both_sides(screen: Screen) -> None:
    key = await makes_a_case(screen)
    panel = await screen.datadogs("Cases")
    card = panel.locator(f'[data-case="{key}"]')
    await expect(card).to_contain_text("Disk of a database host is almost full")

    await picks(screen, screen.control("case:priority", screen.thread), "P1")
    await expect(card.get_by_label("Priority")).to_have_value("P1")
    await expect(screen.thread).to_contain_text("🔴 P1")

    await card.get_by_label("Status").select_option("In Progress")
    await card.get_by_text("Comments (").click()
    await card.get_by_label(f"Comment on {key}").fill("Freed 40 GB for now.")
    await card.get_by_role("button", name="Comment").click()
    await expect(card).to_contain_text("Freed 40 GB for now.")
    await expect(card.get_by_label(f"Comment on {key}")).to_have_value("")
    await card.locator("summary", has_text="Tickets").click()
    await card.get_by_label(f"Jira issue for {key}").fill("https://acme.atlassian.net/browse/PAY-7")
    await card.get_by_role("button", name="Link", exact=True).click()
    await expect(card).to_contain_text("Jira · PAY-7")
    await screen.control("case:assign", screen.thread).click()
    await expect(screen.thread).to_contain_text("🟠 In Progress")
    await expect(card.get_by_label("Assignee").locator("option:checked")).to_have_text("Ana Ruiz")


async def test_links_pasted_in_slack_become_insights_and_what_is_none_is_said(screen: Screen) -> None:
    key = await makes_a_case(screen)
    datadog = (await screen.state())["datadog"]
    incident = datadog["incidents"][0]["link"]
    monitors = [monitor["link"] for monitor in datadog["monitors"][:2]]

    await screen.control("case:attach", screen.thread).click()
    modal = screen.modal
    await modal.get_by_label("Paste Datadog links").fill(" ".join([incident, *monitors, "https://example.com/no"]))
    await screen.control("attach:add", modal).click()
    await expect(modal).to_contain_text("3 of 3 chosen")
    await expect(modal).to_contain_text("example.com")
    await modal.get_by_role("button", name="Attach", exact=True).click()
    await expect(modal).to_contain_text("Attached 3 insights")
    await modal.get_by_role("button", name="Close", exact=True).last.click()
    await expect(screen.thread).to_contain_text(f"attached 3 insights to {key}")

    card = (await screen.datadogs("Cases")).locator(f'[data-case="{key}"]')
    await expect(card.locator('[data-insight="INCIDENT"]')).to_have_text(
        "incident Card payments refused for half an hour"
    )
    await expect(card.locator("[data-insight]")).to_have_count(5)


async def test_datadog_refuses_a_link_that_is_no_insight_and_keeps_it_in_the_field(screen: Screen) -> None:
    card = (await screen.datadogs("Cases")).locator("[data-case]").first
    key = await card.get_attribute("data-case")
    await card.locator("summary", has_text="Insights").click()
    field = card.get_by_label(f"Link to attach to {key}")
    if not await field.is_visible():
        await card.locator("summary", has_text="Insights").click()
    await field.fill("https://example.com/no")
    await card.get_by_role("button", name="Attach").click()
    await expect(screen.datadog.get_by_role("alert")).to_contain_text("no Datadog link")
    await expect(field).to_have_value("https://example.com/no")
    await screen.datadog.get_by_role("button", name="Close this message").click()
    await expect(screen.datadog.get_by_role("alert")).to_have_count(0)
