"""What the documents promise is there, and what is there is documented."""

import re
from pathlib import Path

import pytest

from bot.cli import main
from bot.config import Settings, load_settings, variables
from tests.docs import ROOT, commands_table, kept_table, meanings, settings_table

WRITTEN_BY = "`make docs` writes it"
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")
TARGETS_THAT_HOLD_STILL = {"demo", "story", "test", "check", "run", "bench", "faults"}
LEAST_TO_START = {
    "SLACK_BOT_TOKEN": "xoxb-1",
    "SLACK_APP_TOKEN": "xapp-1",
    "DD_API_KEY": "api-key",
    "DD_APP_KEY": "app-key",
}


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def between(name: str) -> str:
    """What stands in the README between the marks of this name."""
    found = re.search(rf"<!-- {name}:.*?-->\n(.*)<!-- /{name} -->", text_of("README.md"), flags=re.DOTALL)
    assert found is not None
    return found[1].strip()


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", text_of("Makefile"), flags=re.MULTILINE))


def test_the_settings_table_is_that_of_the_code() -> None:
    assert between("settings") == settings_table(), WRITTEN_BY


def test_the_table_of_commands_is_that_of_the_code() -> None:
    assert between("commands") == commands_table(), WRITTEN_BY


def test_the_table_of_what_is_kept_is_that_of_the_code() -> None:
    assert between("kept") == kept_table(), WRITTEN_BY


def test_every_setting_has_a_meaning() -> None:
    assert [name for name, meaning in meanings().items() if not meaning.endswith(".")] == []


def test_the_example_file_holds_every_setting_once_and_no_other() -> None:
    names = re.findall(r"^#?([A-Z][A-Z0-9_]+)=", text_of(".env.example"), flags=re.MULTILINE)
    assert sorted(names) == sorted(variables())


def test_the_example_file_explains_each_setting() -> None:
    blocks = re.split(r"\n\s*\n", text_of(".env.example"))
    only_names = [block for block in blocks if re.match(r"#?[A-Z][A-Z0-9_]+=", block)]
    assert [block for block in only_names if "_API_URL" not in block] == []


def test_the_example_file_filled_in_starts_the_bot(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text(text_of(".env.example"), "utf-8")
    for name, value in LEAST_TO_START.items():
        monkeypatch.setenv(name, value)
    assert load_settings().warnings == ()


def test_the_defaults_in_the_example_file_are_those_of_the_code() -> None:
    given = dict(re.findall(r"^#?([A-Z][A-Z0-9_]+)=(.+)$", text_of(".env.example"), flags=re.MULTILINE))
    samples = {"BITS_PUBLIC_URL", "BITS_CHANNELS_FILE", "DD_API_URL"}
    told = {name: value for name, value in given.items() if name not in samples}
    defaults = {name: Settings.model_fields[name.lower()].default for name in told}
    assert {name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in defaults.items()} == {
        name: value.replace("sqlite:", "sqlite+aiosqlite:") for name, value in told.items()
    }


def test_every_make_target_a_document_names_exists() -> None:
    for document in DOCUMENTS:
        named = set(re.findall(r"(?:^|`)make ([a-z]+)", text_of(document), flags=re.MULTILINE))
        assert named <= targets()


def test_every_command_a_document_names_exists(capsys: pytest.CaptureFixture[str]) -> None:
    for document in (*DOCUMENTS, ".env.example", "manifest.yml"):
        named = set(re.findall(r"bits-bot ([a-z][a-z-]+)", text_of(document)))
        with pytest.raises(SystemExit):
            main(["--help"])
        assert named <= set(re.findall(r"^ {4}([a-z-]+)", capsys.readouterr().out, flags=re.MULTILINE))


def test_the_targets_that_hold_still_are_there() -> None:
    assert targets() >= TARGETS_THAT_HOLD_STILL


def test_every_file_a_document_links_to_exists() -> None:
    for document in DOCUMENTS:
        links = re.findall(r"\]\((?!https?://|#)([^)#]+)", text_of(document))
        assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_chapter_a_document_links_to_exists() -> None:
    for document in DOCUMENTS:
        for name, chapter in re.findall(r"\]\(([\w.]*)#([\w-]+)\)", text_of(document)):
            titles = re.findall(r"^#+ (.*)$", text_of(name or document), flags=re.MULTILINE)
            assert chapter in {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


def test_the_security_policy_says_how_to_report_what_is_promised_and_what_is_not() -> None:
    titles = re.findall(r"^## (.*)$", text_of("SECURITY.md"), flags=re.MULTILINE)
    assert {"Report a vulnerability", "What is promised", "What is not promised"} <= set(titles)


def test_no_document_speaks_of_a_variable_that_does_not_exist() -> None:
    for document in (*DOCUMENTS, ".env.example", "manifest.yml", "Makefile", "Dockerfile", "compose.yaml"):
        named = set(re.findall(r"\b(?:SLACK|DD|BITS)_[A-Z][A-Z0-9_]*\b|\bDATABASE_URL\b", text_of(document)))
        assert named <= set(variables())
