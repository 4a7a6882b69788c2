"""Surfaces as PNG files, drawn by the playground's page in a browser that asks nobody for anything."""

import html
import json
import mimetypes
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, Route, async_playwright

import bot.sandbox
from tests.browser.demo import SWITCHES

PAGE = Path(bot.sandbox.__file__).parent / "playground" / "page"
ADDRESS = "http://playground.invalid"
JSON = dict[str, Any]


class NotDrawnError(Exception):
    """The renderer does not know something that the bot shows."""


async def _serve(route: Route) -> None:
    """The page's files, straight from the package."""
    name = route.request.url.removeprefix(f"{ADDRESS}/page/").partition("#")[0]
    file = PAGE / name
    if "/" in name or not file.is_file():
        await route.abort()
        return
    kind = mimetypes.guess_type(name)[0] or "text/plain"
    await route.fulfill(body=file.read_bytes(), content_type=kind)


@asynccontextmanager
async def still_page(chromium: str) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(SWITCHES))
        async with still_page_in(browser) as page:
            yield page
        await browser.close()


@asynccontextmanager
async def still_page_in(browser: Browser) -> AsyncIterator[Page]:
    """Where `drawSurface` draws; what the renderer complains of is raised in the end."""
    page = await browser.new_page(viewport={"width": 780, "height": 900}, device_scale_factor=1.5)
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    await page.route("**/*", _serve)
    await page.goto(f"{ADDRESS}/page/still.html")
    await page.locator("body[data-ready]").wait_for()
    yield page
    await page.close()
    if problems:
        raise NotDrawnError("\n".join(dict.fromkeys(problems)))


async def show(page: Page, surface: JSON, *, theme: str = "light") -> None:
    await page.evaluate("surface => window.drawSurface(surface)", surface | {"theme": theme})


async def draw(page: Page, surface: JSON, *, theme: str = "light") -> bytes:
    await show(page, surface, theme=theme)
    return await page.locator("#still").screenshot()


async def draw_all(chromium: str, surfaces: Sequence[JSON], folder: Path, *, theme: str) -> list[tuple[str, JSON]]:
    """One file a surface; gives back their names."""
    drawn: list[tuple[str, JSON]] = []
    async with still_page(chromium) as page:
        for number, surface in enumerate(surfaces, 1):
            name = f"{surface['kind']}-{number:03}-{_slug(surface)}.png"
            (folder / name).write_bytes(await draw(page, surface, theme=theme))
            drawn.append((name, surface))
    return drawn


def _slug(surface: JSON) -> str:
    words = title(surface).lower()
    return re.sub(r"[^a-z0-9]+", "-", words).strip("-")[:48] or "untitled"


def title(surface: JSON) -> str:
    """What a person would call it."""
    view = surface.get("view")
    if view is None:
        return re.sub(r"<[^<>|]*\|?([^<>]*)>", r"\1", surface["messages"][0].get("text", ""))[:80]
    return str((view.get("title") or {}).get("text") or "Home")


def contact_sheet(drawn: Sequence[tuple[str, JSON]]) -> str:
    """All of them on one page, to look through."""
    parts = []
    for kind in ("home", "modal", "message"):
        shown = [(name, surface) for name, surface in drawn if surface["kind"] == kind]
        figures = "\n".join(_figure(name, surface) for name, surface in shown)
        parts.append(f"<h2>{kind}: {len(shown)}</h2>\n<div>{figures}</div>")
    style = (
        "body{font:14px sans-serif;margin:24px;background:#ececee}div{columns:420px}"
        "figure{margin:0 0 20px;break-inside:avoid}img{width:100%}figcaption{color:#555}"
    )
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Surfaces</title><style>{style}</style>'
    return "\n".join([head, f"<h1>{len(drawn)} surfaces</h1>", *parts, "</html>"])


def _figure(name: str, surface: JSON) -> str:
    told = html.escape(f"{title(surface)} ({surface['story']})")
    return (
        f'<figure><a href="{name}"><img loading="lazy" src="{name}" alt="{told}"></a><figcaption>{told}</figcaption>'
        "</figure>"
    )


def read_surfaces(folder: Path) -> list[JSON]:
    """What the recorder wrote, each look once, in an order of its own."""
    found: dict[str, JSON] = {}
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_text().splitlines():
            surface = json.loads(line)
            found.setdefault(surface["look"], surface)
    return sorted(found.values(), key=lambda one: (one["kind"], title(one), one["look"]))
