"""The renderer by itself: every block and element Slack takes is drawn, nothing is read as markup, and what is not known is seen."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from bot.sandbox.slack.blockkit import check_blocks
from bot.sandbox.slack.blockkit.elements import ELEMENTS, IN_ACTIONS, IN_CONTEXT_ACTIONS
from bot.sandbox.slack.blockkit.layout import BLOCKS
from tests.pictures.draw import NotDrawnError, show, still_page_in

JSON = dict[str, Any]
ANA = "U0001"
NAMES = {"users": {ANA: "Ana Ruiz"}, "channels": {"C0001": "alerts"}, "groups": {"S0001": "oncall"}}
NOON = 1_790_000_000


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def still(browser: Browser) -> AsyncIterator[Page]:
    async with still_page_in(browser) as page:
        yield page


def plain(text: str) -> JSON:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> JSON:
    return {"type": "mrkdwn", "text": text}


def rich(*leaves: JSON) -> JSON:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(leaves)}]}


OPTIONS = [{"text": plain("One"), "value": "1"}, {"text": plain("Two"), "value": "2"}]
OF_OPTIONS = ("static_select", "multi_static_select", "checkboxes", "radio_buttons", "overflow")
MORE: dict[str, JSON] = {
    "button": {"text": plain("Press")},
    "workflow_button": {"text": plain("Run"), "workflow": {}},
    "image": {"image_url": "https://example.com/a.png", "alt_text": "A graph"},
    "number_input": {"is_decimal_allowed": False},
    "feedback_buttons": {
        "positive_button": {"text": plain("Good"), "value": "+"},
        "negative_button": {"text": plain("Bad"), "value": "-"},
    },
    "icon_button": {"icon": "trash", "text": plain("Remove")},
    **{name: {"options": OPTIONS} for name in OF_OPTIONS},
}


def element(kind: str) -> JSON:
    return {"type": kind, **MORE.get(kind, {})}


def block_with(kind: str) -> JSON:
    """A block in which Slack takes this element."""
    if kind in IN_CONTEXT_ACTIONS:
        return {"type": "context_actions", "elements": [element(kind)]}
    if kind in IN_ACTIONS:
        return {"type": "actions", "elements": [element(kind)]}
    if kind == "image":
        return {"type": "section", "text": mrkdwn("Look"), "accessory": element(kind)}
    return {"type": "input", "label": plain("Field"), "element": element(kind)}


ROWS: list[list[JSON]] = [[{"type": "raw_text", "text": "Service"}, {"type": "raw_text", "text": "p95"}]]
ROWS += [[rich({"type": "text", "text": "checkout"}), {"type": "raw_number", "value": 2.4, "text": "2.4 s"}]]
TASK: JSON = {"type": "task_card", "task_id": "t", "title": "Look", "details": rich({"type": "text", "text": "logs"})}
CARD: JSON = {"type": "card", "title": mrkdwn("A card"), "actions": [element("button")]}
SAMPLES: dict[str, JSON] = {
    "section": {"text": mrkdwn("Words"), "fields": [mrkdwn("*A*\n1"), plain("B")]},
    "header": {"text": plain("Title")},
    "context": {"elements": [mrkdwn("small"), element("image")]},
    "actions": {"elements": [element("button")]},
    "divider": {},
    "image": {"image_url": "https://example.com/a.png", "alt_text": "A graph", "title": plain("Graph")},
    "video": {
        "alt_text": "A video",
        "title": plain("Video"),
        "thumbnail_url": "https://example.com/a.png",
        "video_url": "https://example.com/v",
    },
    "rich_text": {"elements": rich({"type": "text", "text": "rich"})["elements"]},
    "input": {"label": plain("Field"), "element": element("plain_text_input")},
    "file": {"external_id": "F1", "source": "remote"},
    "markdown": {"text": "# Title\n**bold**"},
    "table": {"rows": ROWS},
    "data_table": {"rows": ROWS, "caption": "Numbers"},
    "data_visualization": {"title": "Chart"},
    "alert": {"text": plain("Careful"), "level": "warning"},
    "context_actions": {"elements": [element("icon_button")]},
    "task_card": TASK,
    "plan": {"title": "Plan", "tasks": [TASK]},
    "card": CARD,
    "carousel": {"elements": [CARD]},
    "container": {"title": plain("Box"), "child_blocks": [{"type": "divider"}]},
}


def message(*blocks: JSON, **more: Any) -> JSON:
    stored = [{"block_id": f"b{number}", **block} for number, block in enumerate(blocks)]
    shown = {"ts": f"{NOON}.000100", "author": {"name": "Bits Bot", "app": True}, "blocks": stored, **more}
    return {"kind": "message", "messages": [shown], "names": NAMES, "now": NOON * 1000}


async def read(page: Page, surface: JSON) -> str:
    await show(page, surface)
    return await page.locator(".msg-body").inner_text()


async def markup(page: Page, surface: JSON) -> str:
    await show(page, surface)
    return await page.locator(".msg-body .text").inner_html()


async def test_every_block_of_slack_is_drawn(still: Page) -> None:
    assert set(SAMPLES) == set(BLOCKS)
    for kind, sample in SAMPLES.items():
        await show(still, message({"type": kind, **sample}))
        assert await still.locator(f".bk-{kind}").count() > 0, kind
        assert await still.locator(".bk-unknown").count() == 0, kind


async def test_every_element_of_slack_is_drawn(still: Page) -> None:
    for kind in ELEMENTS:
        block = block_with(kind)
        assert check_blocks([block], "modal" if kind == "file_input" else "message") == []
        await show(still, message(block))
        assert await still.locator(".bk-unknown").count() == 0, kind


@pytest.mark.parametrize(
    "block",
    [
        {"type": "hologram"},
        {"type": "actions", "elements": [{"type": "lever"}]},
        rich({"type": "smell"}),
        {"type": "section", "text": {"type": "html", "text": "x"}},
        {"type": "table", "rows": [[{"type": "picture"}]]},
    ],
    ids=lambda block: str(block["type"]),
)
async def test_what_is_not_known_is_seen_and_reported(browser: Browser, block: JSON) -> None:
    async def look() -> None:
        async with still_page_in(browser) as page:
            await show(page, message(block))
            assert "Unknown" in await page.locator(".bk-unknown").inner_text()

    with pytest.raises(NotDrawnError, match="Unknown"):
        await look()


LINK = 'class="link" href="https://x.io/?a=1&amp;b=2" target="_blank" rel="noreferrer noopener"'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*bold* _it_ ~gone~ `co*d*e`", "<strong>bold</strong> <em>it</em> <s>gone</s> <code>co*d*e</code>"),
        ("snake_case_name 2*3*4", "snake_case_name 2*3*4"),
        ("*a _b_ c*", "<strong>a <em>b</em> c</strong>"),
        ("one\ntwo", "one<br>two"),
        ("&lt;b&gt; &amp;amp;", "&lt;b&gt; &amp;amp;"),
        ("<https://x.io/?a=1&amp;b=2|a &lt; b>", f"<a {LINK}>a &lt; b</a>"),
        ("<javascript:alert(1)|press>", "press"),
        (f"<@{ANA}>", f'<span class="mention" data-user="{ANA}">@Ana Ruiz</span>'),
        ("<#C0001>", '<span class="mention">#alerts</span>'),
        ("<!subteam^S0001>", '<span class="mention">@oncall</span>'),
        ("<!here>", '<span class="mention is-broadcast">@here</span>'),
        ("a ```x *y*\n<@U0001>``` b", 'a <pre class="code-block">x *y*\n@Ana Ruiz</pre> b'),
        (":eyes: :unheard_of:", '<span class="emoji" role="img" aria-label="eyes">👀</span> :unheard_of:'),
    ],
)
async def test_mrkdwn_reads_as_in_slack(still: Page, text: str, expected: str) -> None:
    assert await markup(still, message({"type": "section", "text": mrkdwn(text)})) == expected


async def test_times_are_told_from_where_one_stands(still: Page) -> None:
    words = mrkdwn(
        f"<!date^{NOON}^{{date_short_pretty}} at {{time}}|then>, <!date^{NOON - 86_400}^{{date_pretty}}|before>"
    )
    shown = await read(still, message({"type": "section", "text": words}, text="") | {"timeZone": "UTC"})
    assert shown == "today at 2:13 PM, yesterday"


HOSTILE = "<img src=x onerror=alert(1)> &lt;script&gt;alert(1)&lt;/script&gt;"


async def test_nothing_that_somebody_wrote_becomes_markup(still: Page) -> None:
    hostile: list[JSON] = [
        {"type": "section", "text": mrkdwn(HOSTILE), "fields": [plain(HOSTILE)]},
        {"type": "header", "text": plain(HOSTILE[:100])},
        rich({"type": "text", "text": HOSTILE}, {"type": "link", "url": "javascript:alert(1)", "text": HOSTILE}),
        {"type": "markdown", "text": f"{HOSTILE} [x](javascript:alert(1)) **{HOSTILE}**"},
        {"type": "table", "rows": [[{"type": "raw_text", "text": HOSTILE}]]},
    ]
    attachment = {"id": 1, "title": HOSTILE, "title_link": "javascript:alert(1)", "text": HOSTILE, "color": "x;}"}
    await show(still, message(*hostile, attachments=[attachment], text=HOSTILE))
    made = still.locator(".msg img, .msg script, .msg [onerror], .msg a[href^=javascript]")
    assert await made.count() == 0
    assert "<script>alert(1)</script>" in await still.locator(".msg-body").inner_text()


REDRAW = """async ([blocks, values]) => {
  const { patch } = await import("/page/dom.js");
  const { renderBlocks } = await import("/page/blocks.js");
  patch(document.getElementById("still"), renderBlocks(blocks, { values, names: {} }));
}"""


async def test_drawing_anew_leaves_alone_what_somebody_is_doing(still: Page) -> None:
    typed: JSON = {"type": "input", "block_id": "t", "label": plain("T"), "element": element("plain_text_input")}
    typed["element"]["action_id"] = "t"
    box: JSON = {
        "type": "container",
        "block_id": "c",
        "title": plain("Box"),
        "child_blocks": [],
        "is_collapsible": True,
    }
    await still.evaluate(REDRAW, [[box, typed], {}])
    await still.locator("summary").click()
    await still.locator("input").focus()
    await still.keyboard.type("half a sentence")
    await still.keyboard.press("ArrowLeft")
    news: JSON = {"type": "section", "block_id": "n", "text": mrkdwn("News")}
    echo = {"t": {"t": {"type": "plain_text_input", "value": "half"}}}
    await still.evaluate(REDRAW, [[news, box, typed, news | {"block_id": "m"}], echo])
    assert await still.locator(".bk-section").count() == 2
    await still.keyboard.type("!")
    assert await still.locator("input").input_value() == "half a sentenc!e"
    assert not await still.locator("details").evaluate("node => node.open")


async def test_a_message_says_who_sees_it_that_it_was_edited_and_who_answered(still: Page) -> None:
    block = {"type": "section", "text": mrkdwn("Words")}
    reaction = {"name": "eyes", "users": [ANA], "count": 1}
    shown = message(block, only_me=True, edited={"user": "U1", "ts": "1"}, reply_count=2, reactions=[reaction])
    await show(still, shown)
    said = await still.locator("article").inner_text()
    for words in ("Only visible to you", "APP", "(edited)", "2 replies"):
        assert words in said
    assert await still.get_by_role("button", name="eyes, 1, by Ana Ruiz").count() == 1


async def test_a_window_shows_what_was_filled_in_and_what_is_wrong(still: Page) -> None:
    number: JSON = {"type": "input", "block_id": "n", "label": plain("How many"), "element": element("number_input")}
    number["element"]["action_id"] = "n"
    choice: JSON = {"type": "input", "block_id": "s", "label": plain("Which"), "element": element("static_select")}
    choice["element"]["action_id"] = "s"
    values: JSON = {"n": {"n": {"type": "number_input", "value": "7"}}}
    values["s"] = {"s": {"type": "static_select", "selected_option": OPTIONS[1]}}
    view: JSON = {
        "type": "modal",
        "id": "V1",
        "title": plain("Form"),
        "submit": plain("Save"),
        "blocks": [number, choice],
    }
    view |= {"state": {"values": values}, "errors": {"n": "Too many."}, "previous_view_id": "V0"}
    await show(still, {"kind": "modal", "view": view, "names": NAMES})
    field = still.get_by_label("How many")
    assert await field.input_value() == "7"
    assert await field.get_attribute("aria-invalid") == "true"
    assert await still.locator(".bk-error").inner_text() == "Too many."
    assert await still.get_by_role("button", name="Which: Two").count() == 1
    assert await still.get_by_role("dialog", name="Form").get_by_role("button", name="Back").count() == 1
