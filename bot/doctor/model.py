"""What the doctor is given, what it finds, and how that is told: a table for people, JSON for machines. Examines nothing."""

import json
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from bot.datadog.links import Site
from bot.network import WayOut
from bot.orgs.repository import ClientOf

_WIDTH = 110


@dataclass(frozen=True, slots=True)
class DatadogKeys:
    """Those of the settings."""

    site: Site
    api_key: str = field(repr=False)
    app_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Setup:
    """What there is to look at, in plain values: whoever calls the doctor takes them from the settings."""

    slack_api_url: str
    database_url: str = field(repr=False)
    http_address: str  # where the bot's HTTP side listens on this machine
    client_of: ClientOf
    way: WayOut
    bot_token: str = field(default="", repr=False)
    app_token: str = field(default="", repr=False)
    signing_secret: str = field(default="", repr=False)
    uses_oauth: bool = False
    public_url: str = ""
    webhook_secret: str = field(default="", repr=False)
    encryption_keys: tuple[str, ...] = field(default=(), repr=False)
    datadog: DatadogKeys | None = None
    dd_workspaces: frozenset[str] = frozenset()  # whom those keys serve, with OAuth
    allowed_workspaces: frozenset[str] = frozenset()  # who may install; empty for anybody


class FindingState(StrEnum):
    OK = "ok"
    WARN = "warn"  # works, but not all of it, or not for long
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    name: str
    state: FindingState
    told: str
    fix: str = ""  # what to do about it


def ok(name: str, told: str) -> Finding:
    return Finding(name, FindingState.OK, told)


def warn(name: str, told: str, fix: str) -> Finding:
    return Finding(name, FindingState.WARN, told, fix)


def fail(name: str, told: str, fix: str) -> Finding:
    return Finding(name, FindingState.FAIL, told, fix)


def of_settings(problems: Sequence[str], warnings: Sequence[str]) -> list[Finding]:
    """The sentences about settings say themselves what to do."""
    found = [fail("Settings", problem, "") for problem in problems]
    found += [warn("Settings", warning, "") for warning in warnings]
    return found or [ok("Settings", "complete and well-formed")]


def is_well(findings: Iterable[Finding]) -> bool:
    return not any(finding.state is FindingState.FAIL for finding in findings)


def as_table(findings: Sequence[Finding]) -> str:
    widest = max((len(finding.name) for finding in findings), default=0)
    indent = " " * (6 + widest + 2)
    lines: list[str] = []
    for finding in findings:
        lines += _wrapped(f"{finding.state:<6}{finding.name:<{widest}}  {finding.told}", indent)
        if finding.fix:
            lines += _wrapped(f"{indent}-> {finding.fix}", f"{indent}   ")
    return "\n".join([*lines, "", _summary(findings)])


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, subsequent_indent=indent, drop_whitespace=True, break_long_words=False, break_on_hyphens=False
    )


def _summary(findings: Sequence[Finding]) -> str:
    counts = {state: sum(finding.state is state for finding in findings) for state in FindingState}
    told = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    return f"{told}. {'The bot can work.' if is_well(findings) else 'Fix the failures, then run this again.'}"


def as_json(findings: Sequence[Finding]) -> str:
    return json.dumps({"ok": is_well(findings), "checks": [asdict(finding) for finding in findings]}, indent=2)
