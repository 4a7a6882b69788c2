"""What stands around the code: workflows that run what there is, with few rights, on the versions we name; files that parse."""

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def read(path: Path) -> dict[Any, Any]:
    loaded: dict[Any, Any] = yaml.safe_load(path.read_text("utf-8"))
    return loaded


def steps() -> list[dict[str, Any]]:
    return [step for path in WORKFLOWS for job in read(path)["jobs"].values() for step in job["steps"]]


def test_actions_of_others_are_named_by_what_they_hold() -> None:
    used = [step["uses"] for step in steps() if "uses" in step]
    assert used
    assert [each for each in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", each)] == []


def test_workflows_may_only_read_and_end_by_themselves() -> None:
    for path in WORKFLOWS:
        workflow = read(path)
        assert workflow["permissions"] == {"contents": "read"}
        assert [name for name, job in workflow["jobs"].items() if "timeout-minutes" not in job] == []
        assert [name for name, job in workflow["jobs"].items() if "permissions" in job] == []
    assert {step["with"]["persist-credentials"] for step in steps() if "checkout" in step.get("uses", "")} == {False}


def test_they_run_what_there_is() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE))
    named = {name for step in steps() for name in re.findall(r"\bmake ([a-z]+)", step.get("run", ""))}
    assert {"test", "check", "dist"} <= named <= targets
    files = {name for step in steps() for name in re.findall(r"-f (\S+)", step.get("run", ""))}
    assert [name for name in files if not (ROOT / name).exists()] == []


def test_tests_run_on_every_version_that_the_package_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (tested,) = {
        tuple(job["strategy"]["matrix"]["python"])
        for path in WORKFLOWS
        for job in read(path)["jobs"].values()
        if "strategy" in job
    }
    named = [each.rpartition(" ")[2] for each in project["classifiers"] if re.search(r"Python :: 3\.\d", each)]
    assert list(tested) == named
    assert project["requires-python"] == f">={named[0]}"


def test_what_others_read_can_be_read() -> None:
    for path in (*(ROOT / ".github").rglob("*.yml"), ROOT / ".pre-commit-config.yaml"):
        assert read(path), path
    for path in (ROOT / ".devcontainer/devcontainer.json", ROOT / ".slack/hooks.json"):
        assert json.loads(path.read_text("utf-8")), path


def test_the_sdist_is_whole() -> None:
    """All that git knows, by the words of MANIFEST.in; the bot itself comes by pyproject.toml."""
    words = [
        line.split() for line in (ROOT / "MANIFEST.in").read_text("utf-8").splitlines() if line[:1] not in {"", "#"}
    ]
    files = {name for verb, *names in words if verb == "include" for name in names}
    folders = {names[0] for verb, *names in words if verb == "graft"} | {"bot"}
    assert [name for name in {*files, *folders} if not (ROOT / name).exists()] == []
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("no checkout")
    by_itself = {"README.md", "MANIFEST.in", "pyproject.toml"}
    missing = [name for name in listed.stdout.split() if name.split("/")[0] not in files | folders | by_itself]
    assert missing == []
