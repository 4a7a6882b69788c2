"""What stands in the documents as the code says it: `make docs` writes it there, and `test_docs` holds it to that."""

import re
from pathlib import Path

from pydantic_core import PydanticUndefined

from bot.config import Settings, variables
from bot.manifest import as_yaml
from bot.wording import COMMAND
from tests.commands import COMMANDS

ROOT = Path(__file__).parents[1]


def settings_table() -> str:
    """The table as it must stand in the README."""
    rows = ["| Variable | Default | Meaning |", "|---|---|---|"]
    for name, meaning in variables().items():
        default = Settings.model_fields[name.lower()].default
        assert default is not PydanticUndefined
        shown = (
            "" if default in (None, frozenset()) else f"`{default:g}`" if isinstance(default, float) else f"`{default}`"
        )
        rows.append(f"| `{name}` | {shown.replace('+aiosqlite', '')} | {meaning} |")
    return "\n".join(rows)


def commands_table() -> str:
    """The same for the commands."""
    rows = ["| Command | What it does |", "|---|---|"]
    rows += [f"| `{COMMAND} {form}` | {meaning} |" for form, meaning in COMMANDS.usage_lines]
    return "\n".join(rows)


def with_tables(readme: str) -> str:
    """The README with both tables between their marks."""
    for name, table in (("commands", commands_table()), ("settings", settings_table())):
        before, mark, rest = re.split(rf"(<!-- {name}:.*?-->\n)", readme)
        _, end, after = rest.partition(f"<!-- /{name} -->")
        readme = f"{before}{mark}{table}\n{end}{after}"
    return readme


if __name__ == "__main__":
    document = ROOT / "README.md"
    document.write_text(with_tables(document.read_text("utf-8")), "utf-8")
    (ROOT / "manifest.yml").write_text(as_yaml("socket"), "utf-8")
