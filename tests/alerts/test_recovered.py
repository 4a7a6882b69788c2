"""Who waited for a recovery is told of it, as long as their workspace may still see that organisation."""

from types import SimpleNamespace
from typing import Any

import pytest

from bot.alerts import views
from bot.alerts.slack import RecoveredPost


@pytest.mark.parametrize("withheld", [False, True])
async def test_a_recovery_is_told_where_the_organisation_may_be_seen(
    monkeypatch: pytest.MonkeyPatch, withheld: bool
) -> None:
    asked: list[tuple[str, str]] = []

    async def get(_: int) -> Any:
        return SimpleNamespace(org="acme")

    async def withholds(org: str, workspace: str) -> bool:
        asked.append((org, workspace))
        return withheld

    monkeypatch.setattr(views, "recovered", lambda known, person: (known.org, person))
    post: Any = RecoveredPost(SimpleNamespace(get=get), SimpleNamespace(withholds=withholds), SimpleNamespace())  # type: ignore[arg-type]
    delivery = SimpleNamespace(post=SimpleNamespace(subject_id=1, workspace="T1", requester="UANA"))

    told = await post.message(delivery, may_repeat=False)

    assert told == (None if withheld else ("acme", "UANA"))
    assert asked == [("acme", "T1")]
