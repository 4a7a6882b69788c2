import json
import re

from hypothesis import given
from hypothesis import strategies as st

from bot.slack.blocks import pages, visible_text
from bot.slack.markdown import markdown_blocks
from bot.slack.plain import plain_blocks
from tests.slack.blockkit import check_blocks, links, shown

REPORT = """# Root cause

Memory **leak** in `worker` of *checkout*, see [the trace](https://app.datadoghq.com/apm/trace/1?a=1&b=2).

1. first
   - nested
     ```python
     print("deep")
     ```
2. second

> somebody said ~~nothing~~

| host | errors |
|------|-------:|
| web-1 | 12 |
| web-a-long-name | 3 |
"""


def elements(markdown: str) -> list[dict[str, object]]:
    return [element for block in markdown_blocks(markdown) for element in block["elements"]]


def kinds(markdown: str) -> list[object]:
    return [element["type"] for element in elements(markdown)]


def test_a_report_keeps_its_shape() -> None:
    assert kinds(REPORT) == [
        "rich_text_section",
        "rich_text_list",
        "rich_text_list",
        "rich_text_preformatted",
        "rich_text_list",
        "rich_text_quote",
        "rich_text_preformatted",
    ]
    check_blocks(markdown_blocks(REPORT))


def test_a_table_is_aligned() -> None:
    assert shown(elements(REPORT)[-1]) == (
        "host            | errors\n"
        "----------------+-------\n"
        "web-1           |     12\n"
        "web-a-long-name |      3"
    )  # fmt: skip


def test_the_links_of_a_table_stand_below_it_and_its_columns_stay() -> None:
    trace = "https://app.datadoghq.com/apm/trace/0123456789abcdef0123456789abcdef"
    blocks = markdown_blocks(
        f"| Shard | Sample |\n|---|---|\n| 1 | [trace]({trace}) |\n| 2 | [again]({trace}) [log](https://a.example/x) |"
    )
    check_blocks(blocks)
    told = shown(blocks)
    assert "Shard | Sample\n------+------------------\n    1 | trace [1]\n    2 | again log [1] [2]" in told
    assert links(blocks) == [("", trace), ("", "https://a.example/x")]


def test_numbers_go_on_after_what_interrupts_a_list() -> None:
    ordered = [element for element in elements(REPORT) if element.get("style") == "ordered"]
    assert [element.get("offset", 0) for element in ordered] == [0, 1]


def test_a_row_with_more_cells_than_the_header_loses_none() -> None:
    assert "three" in shown(markdown_blocks("| a | b |\n|---|---|\n| one | two | three |"))


def test_nothing_in_it_is_live() -> None:
    hostile = "<!channel> @here <@U123> <https://evil.example|Datadog> <b>bold</b> &lt;!here&gt; :wave:"
    [block] = markdown_blocks(hostile)
    [section] = block["elements"]
    assert {run["type"] for run in section["elements"]} <= {"text", "link"}
    assert "<!channel> @here <@U123>" in shown(block)
    assert "<b>bold</b>" in shown(block)


def test_a_label_that_hides_its_host_is_shown_with_it() -> None:
    for markdown, expected in (
        ("[app.datadoghq.com](https://evil.example/x)", "(evil.example)"),
        ("[Open in Datadog](https://evil.example/x)", "(evil.example)"),
        ("[https://app.datadoghq.com](https://app.datadoghq.com.evil.example)", "(app.datadoghq.com.evil.example)"),
        ("[datadoghq.com](https://github.com/x) ", "(github.com)"),
    ):
        assert expected in shown(markdown_blocks(markdown))


def test_an_honest_label_stands_alone() -> None:
    assert shown(markdown_blocks("[trace 1](https://app.datadoghq.com/apm/trace/1)")) == "trace 1"
    assert shown(markdown_blocks("[github.com/a/b](https://github.com/a/b)")) == "github.com/a/b"


def test_a_link_that_is_not_plain_http_is_text() -> None:
    for target in (
        "javascript:alert(1)",
        "data:text/html,x",
        "/monitors/1",
        "mailto:a@b.example",
        "https://a@b.example/",
    ):
        blocks = markdown_blocks(f"[label]({target})")
        assert links(blocks) == []
        assert "label" in shown(blocks)
        assert target in shown(blocks)


def test_images_and_bare_urls_are_links() -> None:
    blocks = markdown_blocks("![graph](https://app.datadoghq.com/g.png) and https://app.datadoghq.com/x?a=1&b=2.")
    assert links(blocks) == [
        ("graph", "https://app.datadoghq.com/g.png"),
        ("", "https://app.datadoghq.com/x?a=1&b=2"),
    ]


def test_a_definition_nobody_uses_is_shown_and_a_used_one_is_not_repeated() -> None:
    blocks = markdown_blocks(
        "see [this][1]\n\n[1]: https://app.datadoghq.com/a\n[runbook]: https://github.com/b 'Steps'"
    )
    assert [target for _, target in links(blocks)] == ["https://app.datadoghq.com/a", "https://github.com/b"]
    assert "runbook: " in shown(blocks)
    assert "Steps" in shown(blocks)


def test_two_lists_with_numbers_of_their_own_stay_two() -> None:
    lists = elements("1. a\n2. b\n\n1) c")
    assert [len(element["elements"]) for element in lists] == [2, 1]  # type: ignore[arg-type]


def test_a_split_text_is_complete_to_the_letter() -> None:
    text = "".join(f"{number} " for number in range(5_000)) + "x" * 7_000
    runs = [run for block in plain_blocks(text) for section in block["elements"] for run in section["elements"]]
    assert len(runs) > 5
    assert "".join(run["text"] for run in runs) == text


def test_a_title_is_shown_with_its_signs() -> None:
    assert shown(plain_blocks("*CPU* on `web_1`", "bold")) == "*CPU* on `web_1`"


def test_nothing_written_is_no_block() -> None:
    assert markdown_blocks("") == markdown_blocks(" \n\u200b\n") == []
    assert pages([]) == [[]]


def test_the_extreme_is_split_and_still_all_there() -> None:
    for markdown in (
        ">" * 2_000 + " deep words",
        "- " * 1_000 + "deep words",
        "[" * 1_000 + "deep words",
        "*" * 1_000 + "deep words",
        "```\n" + "x " * 6_000 + "deep words",
        "deep words " * 2_000,
        "deepwords" * 2_000 + " deep words",
        "a | b\n--|--\n" + "deep words | x\n" * 500,
        "[deep words](https://app.datadoghq.com/" + "x" * 6_000 + ")",
        "[deep words](https://app.datadoghq.com/" + "x" * 2_950 + ")",
        "1. " + "deep words " * 900,
        "**a** b " * 1_500 + "deep words",
        "x" * 200_100 + " deep words",
    ):
        blocks = markdown_blocks(markdown)
        check_blocks(blocks)
        assert "deep words" in shown(blocks)
        for page in pages(blocks):
            assert len(page) <= 90
            assert len(json.dumps(page)) <= 200_000


WORDS = st.text(alphabet="abcdefgXYZäß漢", min_size=1, max_size=12)
INLINE = st.lists(
    st.one_of(
        WORDS,
        st.builds("**{}**".format, WORDS),
        st.builds("*{}*".format, WORDS),
        st.builds("`{}`".format, WORDS),
        st.builds("~~{}~~".format, WORDS),
        st.builds("[{}](https://evil.example/{})".format, WORDS, st.just("x")),
        st.builds("![{}](https://app.datadoghq.com/i.png)".format, WORDS),
        st.builds("<b>{}</b>".format, WORDS),
        st.builds("<!{}>".format, WORDS),
        st.builds("<{}".format, WORDS),
        st.builds("[{}]".format, WORDS),
        st.builds("[{}]: https://app.datadoghq.com/r '{}'".format, st.just("r"), WORDS),
    ),
    min_size=1,
    max_size=6,
).map(" ".join)
BLOCK = st.recursive(
    st.one_of(
        INLINE,
        st.builds("{} {}".format, st.sampled_from(["#", "##", "######"]), INLINE),
        st.builds("```{}\n{}\n```".format, st.sampled_from(["", "python", "two words"]), INLINE),
        st.builds("    {}".format, INLINE),
        st.builds("{}\n---".format, INLINE),
        st.lists(WORDS, min_size=1, max_size=4).map(
            lambda cells: f"| a | b |\n|---|---|\n| {' | '.join(cells)} |\n| {cells[0]} |"
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("\n\n".join),
        inner.map(lambda text: "> " + text.replace("\n", "\n> ")),
        inner.map(lambda text: "- " + text.replace("\n", "\n  ")),
        inner.map(lambda text: "7. " + text.replace("\n", "\n   ")),
    ),
    max_leaves=6,
)


@given(BLOCK, st.integers(1, 5))
def test_every_word_stands_on_some_page(markdown: str, max_blocks: int) -> None:
    blocks = markdown_blocks(markdown)
    check_blocks(blocks)
    told = " ".join(visible_text(page) for page in pages(blocks, max_blocks=max_blocks, max_bytes=2_000))
    for word in re.findall("[a-gXYZäß漢]+", _without_later_definitions(markdown)):
        assert word in told


def _without_later_definitions(markdown: str) -> str:
    """Of several definitions of one label Markdown takes the first; the others are seen nowhere."""
    first, *others = re.split(r"(?=\[r\]: )", markdown)
    return first + "".join(re.sub(r"^\[r\]: \S+ '[^']*'", "", one) if at else one for at, one in enumerate(others))


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("[]()<>*_`~#>-|!\n \\:1.")), max_size=300))
def test_any_text_becomes_blocks_slack_takes(markdown: str) -> None:
    check_blocks(markdown_blocks(markdown))
    check_blocks(plain_blocks(markdown))
