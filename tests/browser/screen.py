"""The page in front of a person: what they look for and press, and a watch on all that a page must never do."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, expect

PATIENCE = 30_000
A_START = 60_000  # of the bot, on a busy machine
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}

expect.set_options(timeout=PATIENCE)


class Screen:
    def __init__(self, context: BrowserContext, page: Page, address: str) -> None:
        self.context = context
        self.page = page
        self.address = address
        self.problems: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        context.on("request", self._asked)

    @classmethod
    @asynccontextmanager
    async def on(
        cls,
        browser: Browser,
        address: str,
        *,
        size: dict[str, int] = DESKTOP,
        scheme: Literal["light", "dark"] = "light",
    ) -> AsyncIterator[Self]:
        context = await browser.new_context(
            viewport={"width": size["width"], "height": size["height"]}, color_scheme=scheme, reduced_motion="reduce"
        )
        context.set_default_timeout(PATIENCE)
        screen = cls(context, await context.new_page(), address)
        yield screen
        await context.close()
        assert not screen.problems, "\n".join(screen.problems)

    def _heard(self, message: ConsoleMessage) -> None:
        # what the sandbox refuses a person is told by the page; the browser writes down the status besides
        if message.type == "error" and not message.location.get("url", "").endswith("/api/act"):
            self.problems.append(f"console: {message.text} ({message.location})")

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme != "data" and f"{parts.scheme}://{parts.netloc}" != self.address:
            self.problems.append(f"a request to another place: {request.url}")

    # -- getting there -------------------------------------------------------------------------------------------

    async def act(self, kind: str, /, **args: Any) -> dict[str, Any]:
        """Done behind the page's back, as by somebody else's page."""
        answer = await self.context.request.post(
            f"{self.address}/api/act", data={"kind": kind, "args": args}, headers={"X-Playground": "1"}
        )
        body: dict[str, Any] = await answer.json()
        assert body.get("ok"), body
        return body

    async def tidy(self) -> None:
        """Nothing is broken, nothing alerts and no window is open, whatever went before; runs are over soon."""
        state = await self.state()
        for fault in state["faults"]["faults"]:
            if fault["active"]:
                await self.act("fault", id=fault["id"], on=False)
        if state["faults"]["bot"] in {"stopped", "died"}:
            await self.act("bot", do="start")
        for view in reversed(state["modals"]):
            await self.act("close", view=view["id"])
        standing = {(alert["monitor_id"], alert["group"]): alert for alert in reversed(state["datadog"]["alerts"])}
        for alert in standing.values():
            if alert["state"] != "OK":
                await self.act("change_alert", alert=alert["id"], to="recover")
        await self.act("set_outcome", outcome="conclusive")
        await self.act("set_speed", seconds=1)

    async def open(self) -> None:
        await self.page.goto(f"{self.address}/")
        await self.page.locator("body[data-ready]").wait_for()

    async def reload(self) -> None:
        await self.page.reload()
        await self.page.locator("body[data-ready]").wait_for()

    async def state(self) -> dict[str, Any]:
        answer = await self.context.request.get(f"{self.address}/api/state")
        state: dict[str, Any] = await answer.json()
        return state

    # -- Slack ---------------------------------------------------------------------------------------------------

    async def visit(self, channel: str) -> None:
        await self.slack.get_by_role("link", name=channel).first.click()

    @property
    def slack(self) -> Locator:
        return self.page.locator("#slack")

    @property
    def thread(self) -> Locator:
        return self.page.locator("[data-thread]")

    @property
    def composer(self) -> Locator:
        """The channel's field to write into."""
        return self.slack.locator(".composer-field").first

    @property
    def modal(self) -> Locator:
        return self.page.locator("[data-view-id]").last

    def control(self, action: str, within: Locator | None = None) -> Locator:
        """A button or field by its action id, the newest where there are several."""
        return (within or self.slack).locator(f'[data-action-id="{action}"]').last

    # -- Datadog -------------------------------------------------------------------------------------------------

    @property
    def datadog(self) -> Locator:
        return self.page.locator("#datadog")

    async def datadogs(self, part: str) -> Locator:
        """A part of Datadog's pane: Alerts, Investigations, Cases or Break it."""
        await self.page.get_by_role("tab", name="Datadog", exact=True).click()
        await self.datadog.get_by_role("tab", name=part).click()
        return self.datadog.get_by_role("tabpanel")

    async def fire(self, kind: str = "Metric monitor", via: str = "message") -> Locator:
        """The message that tells of it in #alerts; `via` Datadog's own message, the Webhook or Both."""
        panel = await self.datadogs("Alerts")
        await panel.get_by_label("What").select_option(label=kind)
        await panel.get_by_role("radio", name=re.compile(via)).check()
        async with self.page.expect_response("**/api/act"):
            await panel.get_by_role("button", name="Fire the alert").click()
        seen = (await self.state())["datadog"]
        number = seen["alerts"][0]["monitor_id"]
        name = next(monitor["name"] for monitor in seen["monitors"] if monitor["id"] == number)
        return self.slack.locator("[data-ts]", has_text=f"Triggered: {name}").last

    async def open_thread(self, message: Locator) -> None:
        await message.get_by_role("button", name="1 reply").click()
        await expect(self.thread).to_be_visible()

    async def ask_bits(self, kind: str = "Metric monitor") -> None:
        """Fires an alert and presses Investigate in its thread."""
        await self.open_thread(await self.fire(kind))
        await self.control("alert:investigate", self.thread).click()
