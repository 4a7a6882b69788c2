"""What holds for every test: a clean environment, a working folder of its own. Fixtures of one room live in that room."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

_OURS = ("SLACK_", "DD_", "BITS_", "DATABASE_URL")


@pytest.fixture(autouse=True)
def clean_start(tmp_path: Path) -> Iterator[None]:
    """Nobody's tokens, proxies or `.env` reach a test, and no test leaves files in the checkout."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.upper().startswith(_OURS) or name.upper().endswith("_PROXY"):
                patch.delenv(name)
        patch.chdir(tmp_path)
        yield


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets variables for this test: a whole start, and what differs from it; None takes one away."""

    def put(base: dict[str, str] | None = None, /, **changes: str | None) -> None:
        for name, value in {**(base or {}), **changes}.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)

    return put
