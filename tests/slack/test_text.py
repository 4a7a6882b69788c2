import re

from hypothesis import given
from hypothesis import strategies as st

from bot.slack.text import (
    clean,
    code,
    cut,
    cut_mrkdwn,
    escape,
    fit_mrkdwn,
    is_known_url,
    link,
    mention,
    moment,
    one_line,
    safe_url,
    unescape,
)

ENTITY = re.compile(r"&(?:amp|lt|gt);")


def test_slack_tokens_are_only_words_after_escaping() -> None:
    assert escape("<!channel> & <@U123>") == "&lt;!channel&gt; &amp; &lt;@U123&gt;"


def test_what_nobody_can_see_is_gone() -> None:
    assert clean("a\x00b\u200bc\u202ed\u2066e\ufefff\U000e0041g\x85h\r\ni\ud800") == "abcdefg\nh\ni"


def test_one_line_is_one_line() -> None:
    assert one_line(" High\n latency\t on \u2028 web ") == "High latency on web"


def test_a_cut_says_that_something_is_missing() -> None:
    assert cut("High latency", 6) == "High…"
    assert cut("High latency", 12) == "High latency"
    assert cut("anything", 0) == ""


def test_a_cut_leaves_accents_and_skin_tones_with_their_letter() -> None:
    assert cut("e\u0301e\u0301e\u0301", 4) == "e\u0301…"
    assert cut("👍🏽👍🏽", 2) == "…"


def test_a_backtick_cannot_end_code_early() -> None:
    assert code("a`b` <!here>") == "`a'b' &lt;!here&gt;`"
    assert code("") == ""


def test_only_known_hosts_get_a_label() -> None:
    assert link("https://app.datadoghq.com/a?b=1&c=2", "the <list>") == (
        "<https://app.datadoghq.com/a?b=1&amp;c=2|the &lt;list&gt;>"
    )
    assert link("https://acme.slack.com/archives/C1/p1", "the thread").endswith("|the thread>")
    assert link("https://evil.example/x", "Open in Datadog") == "`https://evil.example/x`"


def test_a_disguised_url_is_no_known_one() -> None:
    for url in (
        "https://app.datadoghq.com.evil.example/",
        "https://app.datadoghq.com@evil.example/",
        "https://user@app.datadoghq.com/",
        "http://app.datadoghq.com/",
        "http://acme.slack.com/archives/C1",
        "https://app.datadoghq.com\\@evil.example/",
        "https://app.datadoghq.com/ <!channel>",
        "https://app.datadoghq.com/|label",
        "https://аpp.datadoghq.com/",  # noqa: RUF001  the first letter is Cyrillic
        "https://notslack.com/",
        "javascript:alert(1)",
        "https://[::1",
        "",
    ):
        assert not is_known_url(url)
        assert not link(url, "label").startswith("<")


def test_a_person_is_mentioned_only_by_a_real_id() -> None:
    assert mention("U0ANA") == "<@U0ANA>"
    assert mention("U1>|<!channel>") == "U1&gt;|&lt;!channel&gt;"
    assert mention("") == "someone"


def test_a_time_is_the_readers_own_with_utc_to_fall_back_on() -> None:
    assert moment(1_700_000_000.9) == "<!date^1700000000^{date_short_pretty} at {time}|2023-11-14 22:13 UTC>"


@given(st.text(), st.integers(0, 60))
def test_fitted_text_is_never_too_long_and_never_half_an_entity(text: str, limit: int) -> None:
    fitted = fit_mrkdwn(text, limit)
    assert len(fitted) <= limit
    assert "&" not in ENTITY.sub("", fitted)
    assert "<" not in fitted
    assert ">" not in fitted


@given(st.text())
def test_escaping_loses_nothing_a_reader_sees(text: str) -> None:
    assert unescape(escape(text)) == clean(text)
    escape(text).encode()  # no lone surrogate is left to break a JSON body


@given(st.text(alphabet="ab<>|&;\U0001f44d\u0301…", max_size=40), st.integers(0, 50))
def test_a_cut_is_a_beginning(text: str, limit: int) -> None:
    shortened = cut(text, limit)
    assert len(shortened) <= limit
    assert text.startswith(shortened.removesuffix("…"))


@given(st.integers(0, 40))
def test_a_token_is_kept_whole_or_left_out(limit: int) -> None:
    shortened = cut_mrkdwn("Asked by <@U123> at <!date^1^{time}|now>", limit)
    assert len(shortened) <= limit
    assert shortened.count("<") == shortened.count(">")


@given(st.text())
def test_any_text_may_be_asked_for_its_host(text: str) -> None:
    assert safe_url(text) is None or text.startswith("http")
    assert isinstance(safe_url(f"https://{text}"), str | None)
