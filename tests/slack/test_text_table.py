"""A table as text keeps its columns in a narrow window, or tells each row line by line; no word of it is broken or lost."""

from hypothesis import given
from hypothesis import strategies as st

from bot.slack.text_table import WIDEST, text_table, width


def test_columns_stand_under_one_another_and_numbers_to_the_right() -> None:
    rows = [["Signal", "Before", "After"], ["disk{host:db-3}", "0.61", "0.97"], ["漢字", "5", "1,060"]]
    assert text_table(rows, right=[False, True, True]) == (
        "Signal          | Before | After\n"
        "----------------+--------+------\n"
        "disk{host:db-3} |   0.61 |  0.97\n"
        "漢字            |      5 | 1,060"
    )


def test_a_long_cell_wraps_inside_its_column() -> None:
    rows = [["Host", "What was seen"], ["web-1", "the pool was full"], ["web-2", "a deploy halved it"]]
    assert text_table(rows, widest=20) == (
        "Host  | What was\n"
        "      | seen\n"
        "------+-------------\n"
        "web-1 | the pool was\n"
        "      | full\n"
        "------+-------------\n"
        "web-2 | a deploy\n"
        "      | halved it"
    )


def test_too_many_columns_for_the_width_are_told_row_by_row() -> None:
    rows = [["Signal", "In"], ["system.disk.in_use{host:db-3}", "production"], ["x", ""]]
    assert text_table(rows, widest=20) == (
        "Signal: system.disk.in_use{host:db-3}\nIn:     production\n\nSignal: x\nIn:"
    )


CELL = st.text(alphabet="ab -|漢", max_size=30).map(lambda words: " ".join(words.split()))


@given(st.integers(1, 8).flatmap(lambda n: st.lists(st.lists(CELL, min_size=n, max_size=n), min_size=1, max_size=5)))
def test_no_line_of_columns_is_too_wide_and_no_word_is_lost(rows: list[list[str]]) -> None:
    told = text_table(rows)
    for word in (word for row in rows for cell in row for word in cell.split()):
        assert word in told
    if "-+-" in told or len(rows[0]) == 1:
        assert max(map(width, told.split("\n"))) <= WIDEST
