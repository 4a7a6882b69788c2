"""Nobody speaks to Datadog without saying for whom: every place where an organisation is taken in hand names its workspace."""

import ast
from collections.abc import Iterator
from pathlib import Path

import bot

ROOT = Path(bot.__file__).parent


def taken() -> Iterator[tuple[str, ast.Call]]:
    """Every `orgs.get(…)`, with the file and line it stands in."""
    for path in sorted(ROOT.rglob("*.py")):
        if "sandbox" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
                holder = node.func.value
                name = holder.attr if isinstance(holder, ast.Attribute) else getattr(holder, "id", "")
                if name in {"orgs", "_orgs"}:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def test_each_names_the_workspace_it_is_for() -> None:
    places = dict(taken())
    rooms = {place.split("/", 1)[0] for place in places}
    assert {"alerts", "cases", "insights", "investigations", "orgs", "doctor"} <= rooms, "it looks at all of them"
    assert [place for place, call in places.items() if len(call.args) < 2] == []
