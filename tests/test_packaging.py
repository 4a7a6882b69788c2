"""What is shipped is whole: files in the wheel, declared imports, locks, and make on a fresh machine."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
STAMPS = (".made", ".ready-to-run", ".ready-to-test")


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared() -> set[str]:
    metadata = project()["project"]
    names = [*metadata["dependencies"], *metadata["optional-dependencies"]["postgres"]]
    return {normalised(re.split(r"[\s\[<>=!~;]", name, maxsplit=1)[0]) for name in names}


def imported_packages() -> set[str]:
    """The top-level names of everything `bot` imports, inside functions too."""
    found: set[str] = set()
    for path in (ROOT / "bot").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"bot"}


def test_every_import_is_declared() -> None:
    owners = packages_distributions()
    undeclared = {
        name for name in imported_packages() if not {normalised(owner) for owner in owners.get(name, [])} & declared()
    }
    assert undeclared == set()


def test_every_file_that_is_not_python_goes_into_the_wheel() -> None:
    patterns = project()["tool"]["setuptools"]["package-data"]["bot"]
    shipped = {path for pattern in patterns for path in (ROOT / "bot").glob(pattern)}
    others = {
        path
        for path in (ROOT / "bot").rglob("*")
        if path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts
    }
    assert sorted(str(path.relative_to(ROOT)) for path in others - shipped) == []


def test_the_command_is_there() -> None:
    module, _, function = project()["project"]["scripts"]["bits-bot"].partition(":")
    tree = ast.parse((ROOT / module.replace(".", "/")).with_suffix(".py").read_text("utf-8"))
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


# What is locked

LOCKS = {"requirements.lock": ("postgres",), "requirements-test.lock": ("postgres", "test")}
REFRESH = "`make lock` writes it anew"


def locked(name: str) -> dict[str, str]:
    """The version of each package."""
    lines = (ROOT / name).read_text("utf-8").splitlines()
    pins = (Requirement(line.removesuffix("\\")) for line in lines if line and not line.startswith((" ", "#")))
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in pins}


@pytest.mark.parametrize("name", LOCKS)
def test_the_locks_hold_what_the_project_asks_for(name: str) -> None:
    metadata, pins = project(), locked(name)
    extras = metadata["project"]["optional-dependencies"]
    asked = [
        *metadata["project"]["dependencies"],
        *(each for extra in LOCKS[name] for each in extras[extra]),
        *metadata["dependency-groups"]["build"],
    ]
    wanted = [Requirement(each) for each in asked]
    unmet = [str(each) for each in wanted if not each.specifier.contains(pins.get(canonicalize_name(each.name), ""))]
    assert unmet == [], REFRESH
    assert metadata["build-system"]["requires"] == metadata["dependency-groups"]["build"]


def test_tests_run_with_the_versions_that_are_shipped() -> None:
    shipped, tested = (locked(name) for name in LOCKS)
    assert {name: tested.get(name) for name in shipped} == shipped, REFRESH


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_hashes_and_comes_from_no_index_in_particular(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    blocks = re.split(r"\n(?=[a-z0-9])", "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert "//" not in text
    assert not re.search(r"^\s*-(?!-hash)", text, flags=re.MULTILINE)


def test_the_locks_are_not_ignored() -> None:
    asked = ["git", "check-ignore", "--no-index", *LOCKS, "bits-bot.sqlite3.lock"]
    ignored = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    if "not a git repository" in ignored.stderr:
        pytest.skip("no checkout")
    assert ignored.stdout.split() == ["bits-bot.sqlite3.lock"]


# make


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    return folder


def make(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    without_outer_make = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=checkout,
        env=without_outer_make,
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )


def python_of_version(folder: Path, *, usable: bool) -> Path:
    """A stand-in for an interpreter: answers the version question and pretends to make an environment."""
    script = folder / "some-python"
    script.write_text(
        "#!/bin/sh\n"
        'case "$1" in\n'
        '  -V) echo "Python 3.9.2" ;;\n'
        f"  -c) exit {0 if usable else 1} ;;\n"
        '  -m) mkdir -p "$3/bin"; printf \'#!/bin/sh\\necho "$@" >> ../pip-calls\\n\' > "$3/bin/python"; '
        'chmod +x "$3/bin/python" ;;\n'
        "esac\n",
        "utf-8",
    )
    script.chmod(0o755)
    return script


def test_an_old_python_is_refused_in_words(checkout: Path) -> None:
    outcome = make(checkout, "test", f"PYTHON={python_of_version(checkout.parent, usable=False)}")
    assert outcome.returncode != 0
    assert "Bits Bot needs Python 3.11 or newer" in outcome.stdout
    assert "is Python 3.9.2" in outcome.stdout
    assert "make test PYTHON=" in outcome.stdout
    assert not (checkout / ".venv").exists()


def test_a_missing_python_is_said_with_what_to_do(checkout: Path) -> None:
    outcome = make(checkout, "story", "PYTHON=no-such-python")
    assert outcome.returncode != 0
    assert "no-such-python was not found. Install Python 3.11 or newer" in outcome.stdout


def test_a_first_call_installs_and_a_second_does_nothing(checkout: Path) -> None:
    python = python_of_version(checkout.parent, usable=True)
    assert make(checkout, "setup", f"PYTHON={python}").returncode == 0
    assert make(checkout, "setup", f"PYTHON={python}").returncode == 0
    calls = (checkout.parent / "pip-calls").read_text("utf-8").splitlines()
    assert calls == ["-m pip install --disable-pip-version-check -q -e ."]


def test_what_the_tests_need_is_installed_once_and_covers_the_rest(checkout: Path) -> None:
    python = python_of_version(checkout.parent, usable=True)
    assert make(checkout, ".venv/.ready-to-test", f"PYTHON={python}").returncode == 0
    assert make(checkout, "setup", f"PYTHON={python}").returncode == 0
    calls = (checkout.parent / "pip-calls").read_text("utf-8").splitlines()
    assert calls == ["-m pip install --disable-pip-version-check -q -e .[test,postgres]"]


def test_where_there_are_locks_nothing_but_what_they_hold_is_installed(checkout: Path) -> None:
    for name in LOCKS:
        shutil.copy(ROOT / name, checkout)
    python = python_of_version(checkout.parent, usable=True)
    for target in ("setup", ".venv/.ready-to-test", "setup", ".venv/.ready-to-test"):
        assert make(checkout, target, f"PYTHON={python}").returncode == 0
    pip, package = "-m pip install --disable-pip-version-check -q", "--no-deps --no-build-isolation -e ."
    assert (checkout.parent / "pip-calls").read_text("utf-8").splitlines() == [
        f"{pip} --require-hashes -r requirements.lock",
        f"{pip} {package}",
        f"{pip} --require-hashes -r requirements-test.lock",
        f"{pip} {package}",
    ]


def test_a_changed_list_of_packages_is_installed_again(checkout: Path) -> None:
    python = python_of_version(checkout.parent, usable=True)
    make(checkout, "setup", f"PYTHON={python}")
    stamp = (checkout / ".venv/.ready-to-run").stat()
    os.utime(checkout / "pyproject.toml", (stamp.st_atime + 10, stamp.st_mtime + 10))
    make(checkout, "setup", f"PYTHON={python}")
    assert len((checkout.parent / "pip-calls").read_text("utf-8").splitlines()) == 2


def test_what_is_not_there_yet_is_said_and_not_passed_over(checkout: Path) -> None:
    (checkout / ".venv").mkdir()
    for stamp in STAMPS:
        (checkout / ".venv" / stamp).touch()
    outcome = make(checkout, "bench")
    assert outcome.returncode != 0
    assert "no benchmarks in this checkout" in outcome.stdout


def test_make_alone_lists_the_targets(checkout: Path) -> None:
    listed = make(checkout).stdout
    assert all(f"make {target} " in listed for target in ("demo", "story", "test", "check", "run"))


def test_ci_calls_test_and_check() -> None:
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    assert script.read_text("utf-8").rstrip().endswith("make test\nmake check")
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
