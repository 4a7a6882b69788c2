"""The pictures in the documents, taken of the demo while somebody plays its story: two that stand still and one that moves."""

import io
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from playwright.async_api import Locator, Page, async_playwright, expect

from tests.browser.demo import SWITCHES, running_demo

SIZE = {"width": 1360, "height": 860}
PATIENCE = 30_000
_SHOWN_MS = 1_800
_STORY_WIDTH = 900


@dataclass
class Film:
    """Pictures that follow each other, each with the time it is looked at."""

    frames: list[Image.Image] = field(default_factory=list)
    milliseconds: list[int] = field(default_factory=list)

    async def take(self, what: Locator, milliseconds: int = _SHOWN_MS) -> None:
        picture = Image.open(io.BytesIO(await what.screenshot())).convert("RGB")
        height = round(picture.height * _STORY_WIDTH / picture.width)
        self.frames.append(picture.resize((_STORY_WIDTH, height), Image.Resampling.LANCZOS))
        self.milliseconds.append(milliseconds)

    def save(self, path: Path) -> None:
        first, *rest = self.frames
        first.save(path, save_all=True, append_images=rest, duration=self.milliseconds, loop=0, quality=80, method=6)


async def take(chromium: str, folder: Path) -> None:
    with tempfile.TemporaryDirectory() as empty, running_demo(Path(empty)) as address:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium, args=list(SWITCHES))
            context = await browser.new_context(
                viewport={"width": SIZE["width"], "height": SIZE["height"]},
                device_scale_factor=1.5,
                color_scheme="light",
                reduced_motion="reduce",
            )
            context.set_default_timeout(PATIENCE)
            page = await context.new_page()
            await page.goto(f"{address}/")
            await page.locator("body[data-ready]").wait_for()
            await _play(page, folder)
            await browser.close()


async def _play(page: Page, folder: Path) -> None:
    slack, film = page.locator("#slack"), Film()
    messages = slack.locator(".channel article")
    before = await messages.count()
    await page.get_by_role("button", name="Fire the alert").click()
    await messages.nth(before).locator(".thread-line").click()
    investigate = slack.locator("[data-thread] [data-action-id$=':investigate']").last
    await investigate.wait_for()
    await _quiet(page)
    await film.take(slack)
    await investigate.click()
    thread = page.locator("[data-thread]")
    await thread.get_by_text("Investigating").first.wait_for()
    await _quiet(page)
    await film.take(slack)
    details = thread.locator("[data-action-id='conclusions:details']").last
    await details.wait_for()
    await _quiet(page)
    await film.take(slack, 2 * _SHOWN_MS)
    await page.get_by_role("tab", name="Investigations").click()
    await _quiet(page)
    await _still(page, folder / "playground.png")
    await _case(page, film)
    film.save(folder / "story.webp")
    await _attach(page, folder)


async def _case(page: Page, film: Film) -> None:
    """A case from the conclusions: its form, filled in already, and its card."""
    slack, window = page.locator("#slack"), page.locator(".window")
    await page.locator("[data-thread] [data-action-id='conclusions:create_case']").last.click()
    await window.get_by_text("Description").wait_for()
    project = window.locator("[data-action-id='case_project']")
    await project.click()
    await page.locator(".popover [role=option]").first.click()
    await expect(window.locator("[data-action-id='case_project'] .bk-chosen")).to_be_visible()
    await _quiet(page)
    await film.take(slack)
    await window.locator("button[type=submit]").click()
    await page.locator("[data-thread] [data-action-id^='case:']").first.wait_for()
    await window.locator("[data-close=one]").click()
    await _quiet(page)
    await film.take(slack, 2 * _SHOWN_MS)


async def _attach(page: Page, folder: Path) -> None:
    """Three links pasted, and what became of them."""
    links = await page.evaluate(
        """async () => {
          const { datadog } = await (await fetch("/api/state")).json();
          return [datadog.monitors[1].link, datadog.incidents[0].link, datadog.investigations[0].link].join("\\n");
        }"""
    )
    window = page.locator(".window")
    await page.set_viewport_size({"width": SIZE["width"], "height": 1_000})
    await page.locator("[data-thread] [data-action-id='menu']").last.click()
    await page.locator(".popover").get_by_text("Attach to case").click()
    await window.locator("textarea").fill(links)
    await window.locator("[data-action-id^='attach:add']").first.click()
    await expect(window.locator("textarea")).to_have_value("")
    await _quiet(page)
    await _still(window, folder / "attach.png")


async def _quiet(page: Page) -> None:
    """Nothing covers what is shown, and nothing is still to be drawn."""
    for close in await page.locator("#toasts .toast-close").all():
        await close.click()
    await page.mouse.move(1, 1)
    await page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


async def _still(what: Page | Locator, path: Path) -> None:
    """With few colours: a screen has no more, and the file is a third."""
    picture = Image.open(io.BytesIO(await what.screenshot())).convert("RGB")
    picture.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
