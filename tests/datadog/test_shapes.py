"""Reading JSON of any shape: the value that was meant, or an empty one, and never an exception."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.datadog.client import flag, member, objects, text, texts, whole


def test_text() -> None:
    cases: list[tuple[Any, str]] = [
        ("a", "a"),
        (7, "7"),
        (8788641826233093636, "8788641826233093636"),
        (2**63, "9223372036854775808"),
        (10**30, ""),
        (True, ""),
        (1.5, ""),
        (None, ""),
        (["a"], ""),
        ("nul\x00l", "null"),
        ("half \ud83d", "half ?"),
    ]
    for value, read in cases:
        assert text({"a": {"b": value}}, "a", "b") == read


def test_whole() -> None:
    cases: list[tuple[Any, int | None]] = [
        (7, 7),
        ("7", 7),
        (3.0, 3),
        (3.5, None),
        (float("inf"), None),
        (float("nan"), None),
        (True, None),
        ("x", None),
        ("9" * 5000, None),
        (2**63, None),
        (None, None),
        ([], None),
    ]
    for value, read in cases:
        assert whole({"a": value}, "a") == read


def test_lists_without_what_does_not_belong() -> None:
    assert texts({"a": ["x", None, 7, {}, ""]}, "a") == ("x", "7")
    assert texts({"a": "alone"}, "a") == ("alone",)
    assert texts({}, "a") == ()
    assert list(objects({"a": [{"x": 1}, None, "y"]}, "a")) == [{"x": 1}]
    assert list(objects({"a": {"x": 1}}, "a")) == []


def test_only_true_is_true() -> None:
    assert flag({"a": True}, "a")
    others: tuple[Any, ...] = ("true", 1, None, [])
    assert not any(flag({"a": value}, "a") for value in others)


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner),
    max_leaves=6,
)


@given(json_values, st.lists(st.sampled_from(["a", "b", "c"]), max_size=3))
def test_any_path_through_any_json_can_be_read(value: Any, path: list[str]) -> None:
    read = text(value, *path)

    assert json.dumps(read).encode()
    assert read.encode("utf-8").decode() == read
    assert whole(value, *path) is None or isinstance(whole(value, *path), int)
    assert all(isinstance(each, dict) for each in objects(value, *path))
    assert all(texts(value, *path))
    assert member(value, *path, "missing") is None
