"""What stands in the documents as the code says it: `make docs` writes it there, and `test_docs` holds it to that."""

import argparse
import ast
import inspect
import re
from itertools import pairwise
from pathlib import Path
from textwrap import dedent

from pydantic_core import PydanticUndefined
from sqlalchemy import Table

import bot.schema  # noqa: F401  every table
from bot.cli import _parser
from bot.config import Settings
from bot.datadog.links import SITES
from bot.manifest import as_yaml, scopes
from bot.meters import PREFIX, Counter, Meter
from bot.storage.retention import DAY, AtUninstall, Kept, Life, Lives, Rule, rules
from bot.wording import COMMAND, duration
from tests.commands import COMMANDS

ROOT = Path(__file__).parents[1]


def meanings() -> dict[str, str]:
    """Of every variable, as it stands below it in the code, or in its field."""
    (settings,) = ast.parse(dedent(inspect.getsource(Settings))).body
    assert isinstance(settings, ast.ClassDef)
    told = {name: field.description or "" for name, field in Settings.model_fields.items()}
    for field, below in pairwise(settings.body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(meaning))):
                told[name] = " ".join(meaning.split())  # one row of a table
    return {name.upper(): told[name] for name in Settings.model_fields}


def settings_table() -> str:
    """Every variable, with its default and its meaning."""
    rows = ["| Variable | Default | Meaning |", "|---|---|---|"]
    for name, meaning in meanings().items():
        default = Settings.model_fields[name.lower()].default
        assert default is not PydanticUndefined
        shown = "" if default in (None, "", frozenset()) else f"`{as_written(default)}`"
        rows.append(f"| `{name}` | {shown} | {meaning} |")
    return "\n".join(rows)


def as_written(default: object) -> str:
    """As people write it into `.env`."""
    if isinstance(default, bool):
        return str(default).lower()
    return f"{default:g}" if isinstance(default, float) else str(default).replace("+aiosqlite", "")


def commands_table() -> str:
    """What people type in Slack."""
    rows = ["| Command | What it does |", "|---|---|"]
    rows += [f"| `{COMMAND} {form}` | {meaning} |" for form, meaning in COMMANDS.usage_lines]
    return "\n".join(rows)


def shell_table() -> str:
    """The commands of the shell, as their own help tells them."""
    (choices,) = (action for action in _parser()._actions if isinstance(action, argparse._SubParsersAction))
    rows = ["| Command | What it does | Options |", "|---|---|---|"]
    for told in choices._choices_actions:
        options = [action for action in choices.choices[told.dest]._actions if action.dest != "help"]
        rows.append(f"| `bits-bot {told.dest}` | {told.help} | {'<br>'.join(map(_option, options))} |")
    return "\n".join(rows)


def _option(action: argparse.Action) -> str:
    values = "" if action.nargs == 0 else " or ".join(action.choices or [action.metavar or action.dest.upper()])
    told = f"`{' '.join([*action.option_strings, values]).strip()}`"
    return f"{told} {action.help}" if action.help else told


def scopes_table() -> str:
    """Each of Slack's scopes, with the reason that stands beside it in the manifest."""
    listed = (ROOT / "bot/manifest.yml").read_text("utf-8").split("    bot:\n")[1].split("    bot_optional:")[0]
    reasons = dict(re.findall(r"^ +- (\S+) # (.+)$", listed, flags=re.MULTILINE))
    asked = scopes()
    rows = ["| Scope | Needed | What for |", "|---|---|---|"]
    rows += [f"| `{scope}` | yes | {reasons[scope]} |" for scope in asked.required]
    rows += [f"| `{scope}` | optional | {reasons[scope]} |" for scope in asked.optional]
    return "\n".join(rows)


def sites_table() -> str:
    """What Datadog's documents offer on each."""
    rows = ["| Region | `DD_SITE` | Bits AI | Cases | On-Call |", "|---|---|---|---|---|"]
    for site in SITES:
        products = (site.offers_bits, site.offers_cases, site.offers_on_call)
        offered = ["yes" if each else "not by Datadog's documents" for each in products]
        rows.append(f"| {site.region} | `{site.domain}` | {' | '.join(offered)} |")
    return "\n".join(rows)


_GOES_WITH = "with what it belongs to"
_TAKEN_AWAY = "until somebody takes it away"
_WHEN_A_WORKSPACE_LEAVES = {
    AtUninstall.DELETED: "removed",
    AtUninstall.KEPT: "**stays**: numbers only",
    AtUninstall.BY_ITS_ROOM: "removed first of all",
    AtUninstall.NOBODYS: "belongs to none",
}


def kept_table() -> str:
    """For how long what is kept, and what becomes of it when a workspace leaves."""
    rows = ["| Table | What | How long | Setting | When its workspace leaves |", "|---|---|---|---|---|"]
    in_order = sorted(rules.items(), key=lambda entry: entry[0].name)
    rows += [f"| `{table.name}` | {rule.holds} | {_kept(table, rule)} |" for table, rule in in_order]
    return "\n".join(rows)


def _kept(table: Table, rule: Rule) -> str:
    lives = [] if isinstance(rule.lives, Lives) else [*rule.lives]
    lives += [part.life for other in rules.values() for part in other.parts if part.row.table is table and part.life]
    otherwise = {Lives.WITH_ANOTHER: _GOES_WITH, Lives.UNTIL_TAKEN_AWAY: _TAKEN_AWAY}
    told = [*dict.fromkeys(_how_long(life) for life in lives)]
    told += [otherwise[rule.lives]] if isinstance(rule.lives, Lives) else []
    settings = [*dict.fromkeys(f"`{keep_setting(life.lasts)}`" for life in lives if isinstance(life.lasts, Kept))]
    at_uninstall = rule.at_uninstall
    leaves = (
        _WHEN_A_WORKSPACE_LEAVES[at_uninstall]
        if isinstance(at_uninstall, AtUninstall)
        else "removed, unless others share it"
    )
    return f"{' or '.join(told)} | {', '.join(settings)} | {leaves}"


def keep_setting(kept: Kept) -> str:
    return f"BITS_KEEP_{kept.name}_DAYS"


def _how_long(life: Life) -> str:
    if isinstance(life.lasts, Kept):
        return duration(life.lasts.days * DAY)
    return duration(life.lasts) if life.lasts else "until it has expired"


def metrics_table() -> str:
    """Everything at `/metrics`."""
    rows = ["| Metric | Kind | Labels | Meaning |", "|---|---|---|---|"]
    for meter in Meter.every:
        labels = ", ".join(f"`{label}`" for label in meter.labels)
        rows.append(f"| `{metric_name(meter)}` | {meter.kind} | {labels} | {meter.meaning} |")
    return "\n".join(rows)


def metric_name(meter: Meter) -> str:
    """As it is exposed."""
    return f"{PREFIX}{meter.name}{'_total' if isinstance(meter, Counter) else ''}"


TABLES = {
    "docs/commands.md": {"commands": commands_table, "shell": shell_table},
    "docs/data.md": {"kept": kept_table},
    "docs/metrics.md": {"metrics": metrics_table},
    "docs/permissions.md": {"sites": sites_table, "scopes": scopes_table},
    "docs/settings.md": {"settings": settings_table},
}


def with_tables(name: str) -> str:
    """The document with its tables between their marks."""
    document = (ROOT / name).read_text("utf-8")
    for mark, table in TABLES[name].items():
        before, opening, rest = re.split(rf"(<!-- {mark}:.*?-->\n)", document)
        _, closing, after = rest.partition(f"<!-- /{mark} -->")
        document = f"{before}{opening}{table()}\n{closing}{after}"
    return document


if __name__ == "__main__":
    for name in TABLES:
        (ROOT / name).write_text(with_tables(name), "utf-8")
    (ROOT / "manifest.yml").write_text(as_yaml("socket"), "utf-8")
