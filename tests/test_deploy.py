"""What a company starts the bot with holds to the code: settings, commands, probes, how long a stop may take, and that two bots
never share a file."""

import configparser
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.cli import STOP_WITHIN, main
from bot.config import Settings, load_settings, variables, what_is_set
from tests.starts import SOCKET_MODE, Environment

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
OF_OTHERS = {"PATH", "PYTHONPATH", "PYTHONUNBUFFERED"}


# The image


def stages() -> dict[str, list[str]]:
    """Each stage's lines, the last one's under an empty name."""
    found: dict[str, list[str]] = {}
    for line in DOCKERFILE.replace("\\\n", " ").splitlines():
        if begun := re.match(r"FROM \S+(?: AS (\w+))?$", line):
            lines = found.setdefault(begun[1] or "", [])
        elif found:
            lines.append(line)
    return found


def dockerfile_environment() -> dict[str, str]:
    (line,) = [line for line in stages()[""] if line.startswith("ENV ")]
    return dict(re.findall(r"([A-Z_]+)=(\S+)", line))


def test_the_image_is_not_root_and_works_under_a_number_that_nobody_knows() -> None:
    last = stages()[""]
    assert "USER 10001:0" in last
    assert any("install -d -o 10001 -g 0 -m 2770 /data" in line for line in last)
    assert last.index("USER 10001:0") < last.index('CMD ["bits-bot", "run"]')


def test_code_that_changes_installs_and_ships_no_dependency_anew() -> None:
    by_stage = stages()
    assert [line for line in by_stage["dependencies"] if line.startswith("COPY")] == ["COPY requirements.lock ./"]
    copies = [line for line in by_stage[""] if line.startswith("COPY")]
    assert copies == ["COPY --from=lean /opt/python /opt/python", "COPY --from=bot /opt/bits-bot /opt/bits-bot"]


def test_the_image_installs_what_is_locked_and_nothing_else() -> None:
    installs = re.findall(r"bin/pip install (.*)$", DOCKERFILE, flags=re.MULTILINE)
    assert installs == [
        "--require-hashes -r requirements.lock",
        "--no-deps --no-build-isolation --target /opt/bits-bot .",
    ]
    built_from = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, flags=re.MULTILINE)
    assert [name for names in built_from for name in names.split() if not (ROOT / name).exists()] == []


def test_a_platform_says_on_which_port(environment: Environment) -> None:
    environment(SOCKET_MODE, PORT="8080")
    assert load_settings(None).bits_http_port == 8080
    environment(BITS_HTTP_PORT="9090")
    assert load_settings(None).bits_http_port == 9090
    assert "BITS_HTTP_PORT" not in dockerfile_environment()
    assert f"EXPOSE {Settings.model_fields['bits_http_port'].default}" in stages()[""]
    (check,) = re.findall(r"port = (.*?);", DOCKERFILE)
    assert eval(check, {"os": os}) == "9090"


def test_the_image_holds_no_secrets_and_no_work_of_this_checkout() -> None:
    left_out = (ROOT / ".dockerignore").read_text("utf-8").split()
    assert {".env", ".venv", ".git", "*.sqlite3*"} <= set(left_out)


# an editable install finds what lacks in a copy in the checkout
_WITHOUT_THE_CHECKOUT = """
import runpy, sys
sys.meta_path[:] = [each for each in sys.meta_path if "editable" not in getattr(each, "__module__", "").lower()]
runpy.run_module("bot", run_name="__main__", alter_sys=True)
"""


def test_the_image_has_no_sandbox_and_says_so(tmp_path: Path) -> None:
    left_out = (ROOT / ".dockerignore").read_text("utf-8").split()
    assert "bot/sandbox" in left_out
    shutil.copytree(ROOT / "bot", tmp_path / "bot", ignore=shutil.ignore_patterns("sandbox", "__pycache__"))

    def command(name: str) -> "subprocess.CompletedProcess[str]":
        asked = [sys.executable, "-P", "-c", _WITHOUT_THE_CHECKOUT, name]
        outside = {**os.environ, "PYTHONPATH": str(tmp_path)}
        return subprocess.run(asked, cwd=tmp_path, env=outside, capture_output=True, text=True, check=False)

    assert command("manifest").returncode == 0
    for name in ("demo", "story"):
        outcome = command(name)
        assert outcome.returncode == 2
        assert outcome.stderr.startswith("There is no sandbox in this installation:")


# Compose, Kubernetes, systemd

COMPOSE = [ROOT / "compose.yaml", *sorted((ROOT / "deploy/compose").glob("*.yaml"))]
KUBERNETES = sorted((ROOT / "deploy/kubernetes").glob("*.yaml"))


def by_name(path: Path) -> str:
    return path.name


def bot_in(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return dict(loaded["services"]["bot"])


def deployment_in(path: Path) -> dict[str, Any]:
    (found,) = [each for each in yaml.safe_load_all(path.read_text("utf-8")) if each["kind"] == "Deployment"]
    return dict(found["spec"])


def container_in(path: Path) -> dict[str, Any]:
    (found,) = deployment_in(path)["template"]["spec"]["containers"]
    return dict(found)


def environments() -> Iterator[dict[str, str]]:
    yield dockerfile_environment()
    for path in COMPOSE:
        yield bot_in(path)["environment"]
    for path in KUBERNETES:
        yield {each["name"]: each.get("value", "postgresql://from-the/secret") for each in container_in(path)["env"]}


def test_the_settings_in_all_of_them_are_settings_and_usable(environment: Environment) -> None:
    for told in environments():
        ours = {name: value for name, value in told.items() if name not in OF_OTHERS}
        assert set(ours) <= set(variables())
        given = {name: re.sub(r"\$\{\w+:\?[^}]+\}", "made-up", value) for name, value in ours.items()}
        environment({name: value.replace("////data/", "///") for name, value in given.items()})
        Settings.model_validate({name.lower(): value for name, value in what_is_set(None).items()})


def test_a_stop_in_order_has_the_time_it_may_take() -> None:
    told = [float(bot_in(path)["stop_grace_period"].removesuffix("s")) for path in COMPOSE]
    told += [deployment_in(path)["template"]["spec"]["terminationGracePeriodSeconds"] for path in KUBERNETES]
    told.append(float(unit()["Service"]["TimeoutStopSec"]))
    assert min(told) > STOP_WITHIN + 5


def test_two_bots_never_share_a_file() -> None:
    for path in COMPOSE:
        bot = bot_in(path)
        assert bot["environment"]["DATABASE_URL"].startswith("postgresql") or "deploy" not in bot
    for path in KUBERNETES:
        spec, on_disk = deployment_in(path), "sqlite:" in path.read_text("utf-8")
        assert (spec["replicas"], spec["strategy"]["type"]) == ((1, "Recreate") if on_disk else (2, "RollingUpdate"))


def test_the_file_of_each_lies_where_it_is_kept() -> None:
    assert bot_in(ROOT / "deploy/compose/one-bot.yaml")["volumes"] == ["work:/data"]
    assert "VOLUME /data" in stages()[""]
    mounts = {each["mountPath"] for each in container_in(ROOT / "deploy/kubernetes/sqlite.yaml")["volumeMounts"]}
    assert "/data" in mounts


def test_probes_ask_for_what_is_served_at_the_port_that_is_open() -> None:
    for path in KUBERNETES:
        bot = container_in(path)
        probes = {kind: bot[kind]["httpGet"] for kind in ("livenessProbe", "readinessProbe")}
        assert probes == {
            "livenessProbe": {"path": "/healthz", "port": "http"},
            "readinessProbe": {"path": "/readyz", "port": "http"},
        }
        assert bot["ports"] == [{"name": "http", "containerPort": Settings.model_fields["bits_http_port"].default}]
    served = "".join(path.read_text("utf-8") for path in (ROOT / "bot/web").glob("*.py"))
    assert all(f'"{path}"' in served for path in ("/healthz", "/readyz", "/slack/events"))


def test_the_image_they_name_is_of_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert {container_in(path)["image"] for path in KUBERNETES} == {f"bits-bot:{version}"}
    assert f"\n## {version} (" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_from_outside_only_slack_and_datadog_come_in() -> None:
    (rules,) = [
        each
        for each in yaml.safe_load_all((ROOT / "deploy/kubernetes/postgres.yaml").read_text())
        if each["kind"] == "Ingress"
    ]
    paths = [each["path"] for each in rules["spec"]["rules"][0]["http"]["paths"]]
    assert paths == ["/slack", "/datadog"]
    assert "path /slack/* /datadog/*" in (ROOT / "deploy/compose/Caddyfile").read_text("utf-8")
    for path in COMPOSE:
        assert [told for told in bot_in(path).get("ports", ()) if not told.startswith("127.0.0.1:")] == []


def test_postgresql_in_containers_has_no_password_that_everybody_knows() -> None:
    for path in COMPOSE:
        passwords = re.findall(r"\$\{POSTGRES_PASSWORD(.*?)\}", path.read_text("utf-8"))
        assert len(passwords) == (2 if "postgres:" in path.read_text("utf-8") else 0)
        assert all(told.startswith(":?") for told in passwords)  # it says what is missing, and starts nothing


def unit() -> configparser.ConfigParser:
    read = configparser.ConfigParser(interpolation=None, strict=True)
    read.optionxform = str  # type: ignore[assignment, method-assign]
    read.read(ROOT / "deploy/systemd/bits-bot.service")
    return read


def test_the_unit_runs_a_command_that_there_is_where_it_may_write(capsys: pytest.CaptureFixture[str]) -> None:
    service = unit()["Service"]
    _, command = service["ExecStart"].split()
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert f"bits-bot {command}" in capsys.readouterr().out
    assert service["WorkingDirectory"] == f"/var/lib/{service['StateDirectory']}"
