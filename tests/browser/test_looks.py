"""Pictures of the page in light, dark and at a phone's width, kept in build/; here they only must not be empty or too wide."""

from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Browser

from tests.browser.screen import DESKTOP, PHONE, Screen

PICTURES = Path(__file__).parents[2] / "build" / "browser"
EMPTY = 12_000  # bytes; a picture of one colour has far fewer
TOO_WIDE = """[...document.querySelectorAll("body *")].filter((element) => {
  const box = element.getBoundingClientRect();
  return box.width > 1 && box.right > innerWidth + 1 && !element.closest("pre, table, [data-scroll-x]");
}).map((element) => `${element.localName}.${element.className}`)"""


@pytest.mark.parametrize(
    ("name", "size", "scheme"),
    [("light", DESKTOP, "light"), ("dark", DESKTOP, "dark"), ("phone", PHONE, "light"), ("phone-dark", PHONE, "dark")],
)
async def test_the_page_fills_its_window_and_no_more(
    browser: Browser, demo: str, name: str, size: dict[str, int], scheme: Literal["light", "dark"]
) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    async with Screen.on(browser, demo, size=size, scheme=scheme) as screen:
        await screen.tidy()
        await screen.act("fire", kind="metric", via="both")
        await screen.open()
        taken = {}
        for pane in ("slack", "datadog", "journal"):
            await screen.page.evaluate("pane => document.dispatchEvent(new CustomEvent('pane', {detail: pane}))", pane)
            taken[pane] = await screen.page.screenshot(path=PICTURES / f"{name}-{pane}.png")
            assert await screen.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), pane
            assert await screen.page.evaluate(TOO_WIDE) == [], pane
        assert all(len(picture) > EMPTY for picture in taken.values())
        light = await screen.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (min(_channels(light)) > 128) == (scheme == "light")


def _channels(colour: str) -> list[int]:
    return [int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
