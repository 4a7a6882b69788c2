"""Text with Slack's tokens: who is pinged, and how people read it."""

from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.slack.mrkdwn import (
    escape,
    flatten,
    flatten_markdown,
    pinged_in_attachments,
    pinged_in_blocks,
    pinged_in_text,
    short_url,
    unescape,
)
from tests.sandbox.slack.harness import plain, section

NAMES = {"U1": "ana", "C1": "alerts", "S1": "oncall"}


def name_of(some_id: str) -> str:
    return NAMES.get(some_id, some_id)


def test_live_tokens_ping() -> None:
    cases: list[tuple[str, list[tuple[str, str]]]] = [
        ("<!channel> look", [("channel", "channel")]),
        ("<!here|here>", [("here", "here")]),
        ("<!everyone>", [("everyone", "everyone")]),
        ("<@U1> and <@U1|ana>", [("user", "U1"), ("user", "U1")]),
        ("<!subteam^S1|@oncall>", [("usergroup", "S1")]),
        ("&lt;!channel&gt; @channel", []),
        ("<!date^1700000000^{date}|then> <https://x.y|<label>", []),
    ]
    for text, pinged in cases:
        assert list(pinged_in_text(text)) == pinged


def test_a_bare_at_here_pings_only_where_names_are_linked() -> None:
    assert list(pinged_in_text("@here mail@channel.org")) == []
    assert list(pinged_in_text("@here mail@channel.org", linked_names=True)) == [("here", "here")]


def test_pings_are_found_wherever_text_is_live() -> None:
    rich = {
        "type": "rich_text_section",
        "elements": [{"type": "text", "text": "<!here>"}, {"type": "user", "user_id": "U1"}],
    }
    blocks = [
        section("<!here>"),
        {"type": "header", "text": plain("<!channel>")},
        {"type": "markdown", "text": r"\<!channel\> <!everyone>"},
        {"type": "rich_text", "elements": [rich, {"type": "broadcast", "range": "channel"}]},
    ]
    attachments = [
        {"text": "<@U1>", "title": "<!here>", "fields": [{"value": "<!channel>"}], "blocks": [section("<!here>")]}
    ]

    found = list(pinged_in_blocks(blocks))
    assert found == [("here", "here"), ("everyone", "everyone"), ("user", "U1"), ("channel", "channel")]
    assert list(pinged_in_attachments(attachments)) == [("user", "U1"), ("channel", "channel"), ("here", "here")]


def test_mrkdwn_as_people_read_it() -> None:
    for text, read in (
        ("*bold* _it_ ~gone~ `code`", "bold it gone code"),
        ("a_b_c 2*3*4", "a_b_c 2*3*4"),
        ("*<https://app.datadoghq.com/monitors/1?x=1|CPU &lt;high&gt;>*", "CPU <high> (app.datadoghq.com/monitors/1)"),
        ("<https://x.y/z>", "x.y/z"),
        ("<@U1> in <#C1|alerts> with <!subteam^S1>", "@ana in #alerts with @oncall"),
        ("<!here> &amp; &lt;!channel&gt;", "@here & <!channel>"),
        ("<!date^1700000000^{date}|14 Nov>", "14 Nov"),
        ("```\nlet x = *y*\n```", "let x = y"),
    ):
        assert flatten(text, name_of) == read


def test_markdown_as_people_read_it() -> None:
    for text, read in (
        ("# Cause\n**Disk** *full* `df`", "Cause\nDisk full df"),
        ("[logs](https://app.datadoghq.com/logs?q=1)", "logs (app.datadoghq.com/logs)"),
        (r"\<!here\> \*stars\*", "<!here> *stars*"),
        ("<!here> <@U1>", "@here @ana"),
        ("```python\nx = 1\n```", "x = 1"),
    ):
        assert flatten_markdown(text, name_of) == read


def test_long_addresses_are_cut_visibly() -> None:
    shown = short_url(f"https://app.datadoghq.com/{'x' * 200}")

    assert shown.endswith("…")
    assert len(shown) == 72


@given(st.text())
def test_escaped_text_is_read_as_it_was_and_pings_nobody(text: str) -> None:
    assert unescape(escape(text)) == text
    assert list(pinged_in_text(escape(text))) == []


@given(st.text(alphabet="*_~`<>|@!& \nab:/"))
def test_any_text_can_be_read(text: str) -> None:
    assert isinstance(flatten(text, name_of), str)
    assert isinstance(flatten_markdown(text, name_of), str)
