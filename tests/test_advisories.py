"""`make audit` never takes silence for good news."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.advisories import CLEAR, FOUND, NOT_ASKED, audit


def answering(answer: object, *, error: str = "") -> tuple[str, ...]:
    """A stand-in for pip-audit, which exits with 1 for what it found and for what it could not ask."""
    Path("answer").write_text(answer if isinstance(answer, str) else json.dumps({"dependencies": answer}), "utf-8")
    return ("sh", "-c", f"cat answer; echo '{error}' >&2; exit 1")


def package(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "version": "1.0", "vulns": []} | more


VULNERABLE = package("b", vulns=[{"id": "CVE-1", "fix_versions": ["1.1"]}, {"id": "CVE-2", "fix_versions": []}])
NOT_FOUND = {"name": "c", "skip_reason": "Dependency not found"}


@pytest.mark.parametrize(
    ("answer", "outcome", "said"),
    [
        ([package("a")], CLEAR, "No advisory is known for the 1 packages"),
        ([package("a"), VULNERABLE], FOUND, "b 1.0: CVE-1, mended in 1.1\nb 1.0: CVE-2, mended in nothing yet"),
        ([VULNERABLE, NOT_FOUND], FOUND, "CVE-1"),
        ([package("a"), NOT_FOUND], NOT_ASKED, "could not be asked: 1 of 2 packages"),
        ([], NOT_ASKED, "could not be asked"),
        ("", NOT_ASKED, "could not be asked: pip-audit gave no answer (no route to host)"),
    ],
)
def test_what_is_known_is_told_and_what_is_not_known_is_no_good_news(
    answer: object, outcome: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit("requirements.lock", answering(answer, error="no route to host")) == outcome
    assert said in capsys.readouterr().out
