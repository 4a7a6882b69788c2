"""The rooms of the house: imports point one way, and no package stands outside the rules."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
BOT = ROOT / "bot"

# Modules beside the rooms, which no layer holds, with all that they may lean on.
BESIDE_THE_ROOMS = {
    "bot": set[str](),
    "bot.config": {"bot.config_values", "bot.datadog.links", "bot.storage.retention"},
    "bot.config_values": {"bot.datadog.links"},
    "bot.manifest": set[str](),
}
HOLD_IT_TOGETHER = {
    "bot.__main__",
    "bot.cli",
    "bot.app",
    "bot.wiring",
    "bot.connections",
}


def contracts() -> list[dict[str, Any]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    rules: list[dict[str, Any]] = project["tool"]["importlinter"]["contracts"]
    return rules


def layers() -> set[str]:
    (contract,) = (contract for contract in contracts() if contract["type"] == "layers")
    return {name.strip() for layer in contract["layers"] for name in re.split(r"[|:]", layer)}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules() -> dict[str, Path]:
    return {module_name(path): path for path in sorted(BOT.rglob("*.py")) if "__pycache__" not in path.parts}


def imports_of_ours(path: Path, known: set[str]) -> set[str]:
    """Every module of ours a file imports, inside functions too, and `from bot import x` as `bot.x`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            inside = {f"{module}.{alias.name}" for alias in node.names}
            found |= (inside & known) or {module}
    return {name for name in found if name.split(".")[0] == "bot"}


def room(name: str) -> str:
    return ".".join(name.split(".")[:2])


def a_circle(imports: dict[str, set[str]]) -> list[str]:
    """One way along the imports that ends where it began, or nothing: modules that lead to no circle are set aside."""
    imports = {name: found - {name} for name, found in imports.items()}
    while leaves := {name for name, found in imports.items() if not found & imports.keys()}:
        imports = {name: found - leaves for name, found in imports.items() if name not in leaves}
    way = [min(imports)] if imports else []
    while way and way[-1] not in way[:-1]:
        way.append(min(imports[way[-1]] & imports.keys()))
    return way[way.index(way[-1]) :] if way else []


def test_no_imports_go_in_a_circle_not_even_inside_functions_or_for_types_only() -> None:
    known = modules()
    circle = a_circle({name: imports_of_ours(path, set(known)) for name, path in known.items()})
    assert not circle, f"imports go in a circle: {' -> '.join(circle)}"


def folders_of_the_sandbox() -> dict[str, set[str]]:
    """Which folders of the sandbox lean on which. A package's door may pass on what stands in its own rooms."""
    known = modules()
    folder = {
        name: name if path.name == "__init__.py" else name.rpartition(".")[0]
        for name, path in known.items()
        if room(name) == "bot.sandbox"
    }
    leaning: dict[str, set[str]] = {place: set() for place in folder.values()}
    for name, place in folder.items():
        found = {folder[one] for one in imports_of_ours(known[name], set(known)) if one in folder}
        is_door = known[name].name == "__init__.py"
        leaning[place] |= {one for one in found if not (is_door and one.startswith(f"{place}."))}
    return leaning


def test_no_folders_of_the_sandbox_lean_on_each_other() -> None:
    circle = a_circle(folders_of_the_sandbox())
    assert not circle, f"folders of the sandbox lean on each other: {' -> '.join(circle)}"


def test_a_circle_is_named_without_the_way_to_it() -> None:
    assert a_circle({"a": {"b"}, "b": {"c", "d"}, "c": {"e"}, "d": {"b"}, "e": set()}) == ["b", "d", "b"]


def test_imports_point_one_way() -> None:
    # a process of its own: the linter sets up logging for itself, and would silence ours for the tests after it
    linter = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    told = subprocess.run(linter, cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr


def test_every_module_belongs_to_a_room_or_is_named_here() -> None:
    homeless = {name for name in modules() if room(name) not in layers() | {"bot.sandbox"} | set(BESIDE_THE_ROOMS)}
    assert homeless == set()


def test_every_room_that_rules_speak_of_exists() -> None:
    spoken_of = {
        name
        for contract in contracts()
        for key in ("source_modules", "forbidden_modules")
        for name in contract.get(key, [])
        if room(name) == name and name.startswith("bot.")
    }
    assert spoken_of | layers() | set(BESIDE_THE_ROOMS) <= {room(name) for name in modules()}


def test_modules_beside_the_rooms_lean_on_nothing_more_than_said_here() -> None:
    known = modules()
    leaning = {name: imports_of_ours(known[name], set(known)) for name in BESIDE_THE_ROOMS}
    assert {name: sorted(found - BESIDE_THE_ROOMS[name]) for name, found in leaning.items()} == {
        name: [] for name in BESIDE_THE_ROOMS
    }


def test_no_part_of_a_room_reads_the_settings_or_the_composition_root() -> None:
    """A room's `build` takes from its foundation what its parts get as plain arguments."""
    known = modules()
    readers = {
        name
        for name, path in known.items()
        if name not in HOLD_IT_TOGETHER and imports_of_ours(path, set(known)) & ({"bot.config"} | HOLD_IT_TOGETHER)
    }
    assert readers == {"bot.foundation"}
    builders = {name for name, path in known.items() if "base.settings" in path.read_text("utf-8")}
    assert {name for name in builders if not name.endswith(".room")} == set()


def test_only_the_command_line_leans_on_the_sandbox() -> None:
    known = modules()
    guests = {
        name
        for name, path in known.items()
        if room(name) != "bot.sandbox"
        and any(room(found) == "bot.sandbox" for found in imports_of_ours(path, set(known)))
    }
    assert guests <= {"bot.cli"}


def test_no_two_classes_have_one_name() -> None:
    """The sandbox imitates the platforms, whose words may be ours too."""
    where: dict[str, set[str]] = {}
    for name, path in modules().items():
        if room(name) != "bot.sandbox" and "migrations" not in path.parts:
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    where.setdefault(node.name, set()).add(name)
    twice = {name: rooms for name, rooms in where.items() if len(rooms) > 1}
    assert {name: sorted(rooms) for name, rooms in twice.items()} == {}


def test_every_folder_with_code_is_a_package_but_the_migrations_which_alembic_reads_as_scripts() -> None:
    folders = {path.parent for path in modules().values() if "migrations" not in path.parts}
    assert {folder.relative_to(ROOT) for folder in folders if not (folder / "__init__.py").is_file()} == set()
