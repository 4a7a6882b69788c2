"""What the documents promise is there, and what is there is documented."""

import re
from pathlib import Path

import pytest

from bot.cli import main
from bot.config import Settings, load_settings, variables
from tests.docs import ROOT, TABLES, as_written, meanings, with_tables

WRITTEN_BY = "`make docs` writes it"
PAGES = tuple(sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs").glob("*.md")))
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", *PAGES)
MOST_BYTES_OF_THE_README = 6_000  # a busy engineer reads it to its end
OF_DATADOGS_TRACER = {"DD_SERVICE", "DD_LOGS_INJECTION", "DD_TRACE_HTTP_CLIENT_TAG_QUERY_STRING"}
TARGETS_THAT_HOLD_STILL = {"demo", "story", "test", "check", "run", "bench", "faults"}
WAY_OUT = ("HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "BITS_CA_FILE")
LEAST_TO_START = {
    "SLACK_BOT_TOKEN": "xoxb-1",
    "SLACK_APP_TOKEN": "xapp-1",
    "DD_API_KEY": "api-key",
    "DD_APP_KEY": "app-key",
}


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", text_of("Makefile"), flags=re.MULTILINE))


@pytest.mark.parametrize("name", TABLES)
def test_the_tables_are_those_of_the_code(name: str) -> None:
    assert text_of(name) == with_tables(name), WRITTEN_BY


def test_no_other_table_says_that_it_is_written() -> None:
    marks = {name: re.findall(r"<!-- (\w+): `make docs`", text_of(name)) for name in DOCUMENTS}
    assert {name: found for name, found in marks.items() if found} == {name: [*each] for name, each in TABLES.items()}


def test_every_permission_of_datadog_that_the_code_names_is_told() -> None:
    code = "".join(path.read_text("utf-8") for path in (ROOT / "bot/datadog").glob("*.py"))
    named = set(re.findall(r'"([a-z]+(?:_[a-z]+)*_(?:read|write|downtime|call_page)|manage_integrations)"', code))
    chapter = text_of("docs/permissions.md").split("\n## Datadog\n")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", chapter, flags=re.MULTILINE)) == named


def test_every_room_and_file_of_the_bot_has_its_line_in_the_architecture() -> None:
    there = {f"{path.relative_to(ROOT)}{'/' if path.is_dir() else ''}" for path in (ROOT / "bot").iterdir()}
    nameless = {"bot/__init__.py", "bot/__pycache__/", "bot/manifest.yml", "bot/py.typed"}
    rows = re.findall(r"^\| (`[^|]+`) \|", text_of("docs/architecture.md"), flags=re.MULTILINE)
    told = re.findall(r"`(bot/[^`]+)`", " ".join(rows))
    assert sorted(told) == sorted(there - nameless)


@pytest.mark.parametrize("name", ["docs/architecture.md", "docs/first-change.md"])
def test_every_name_and_file_that_maintainers_are_led_to_is_there(name: str) -> None:
    code = {path: path.read_text("utf-8") for folder in ("bot", "tests") for path in (ROOT / folder).rglob("*.py")}
    words = set(re.findall(r"\w+", " ".join(code.values())))
    files = {path.name for path in code} | {path.name for path in ROOT.iterdir()}
    told = re.findall(r"`([^`\n]+)`", text_of(name))
    led_to = [each for each in told if re.fullmatch(r"[\w./-]+\.(py|yml|toml|lock|example)", each)]
    named = [each for each in told if re.fullmatch(r"[A-Za-z_][\w.]*(\([^)]*\))?", each) and each not in led_to]
    assert led_to
    assert [each for each in led_to if not (ROOT / each).exists() and each not in files] == []
    assert [each for each in named if not set(re.findall(r"\w+", each.partition("(")[0])) <= words] == []


def test_what_a_card_says_in_the_questions_and_answers_it_says_in_slack() -> None:
    drawn = "".join(path.read_text("utf-8") for path in (ROOT / "bot/investigations").glob("*.py"))
    told = re.findall(r'\*\*The card says "([^"]+)"', text_of("docs/faq.md"))
    assert len(told) == 2
    assert [words for words in told if words not in drawn] == []


def test_the_readme_is_short_and_leads_to_every_page() -> None:
    assert len(text_of("README.md").encode()) < MOST_BYTES_OF_THE_README
    assert set(PAGES) <= {link.split("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text_of("README.md"))}


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
    samples = {"BITS_PUBLIC_URL", "BITS_CHANNELS_FILE", "DD_API_URL", *WAY_OUT}
    told = {name: value for name, value in given.items() if name not in samples}
    defaults = {name: Settings.model_fields[name.lower()].default for name in told}
    assert {name: as_written(value) for name, value in defaults.items()} == told


def test_every_make_target_a_document_names_exists() -> None:
    for document in DOCUMENTS:
        named = set(re.findall(r"(?:^|`)make ([a-z]+)", text_of(document), flags=re.MULTILINE))
        assert named <= targets()


def test_every_command_a_document_names_exists(capsys: pytest.CaptureFixture[str]) -> None:
    for document in (*DOCUMENTS, ".env.example", "manifest.yml"):
        named = set(re.findall(r"bits-bot (?!bits-bot)([a-z][a-z-]+)", text_of(document)))
        with pytest.raises(SystemExit):
            main(["--help"])
        assert named <= set(re.findall(r"^ {4}([a-z-]+)", capsys.readouterr().out, flags=re.MULTILINE))


def test_the_targets_that_hold_still_are_there() -> None:
    assert targets() >= TARGETS_THAT_HOLD_STILL


def test_every_file_a_document_links_to_exists() -> None:
    for document in DOCUMENTS:
        links = re.findall(r"\]\((?!https?://|#)([^)#]+)", text_of(document))
        links += re.findall(r'(?:src|href)="(?!https?://|#)([^"#]+)', text_of(document))
        assert [link for link in links if not ((ROOT / document).parent / link).exists()] == [], document


def test_every_chapter_a_document_links_to_exists() -> None:
    for document in DOCUMENTS:
        for name, chapter in re.findall(r"\]\(([\w./-]*)#([\w-]+)\)", text_of(document)):
            page = (ROOT / document).parent / name if name else ROOT / document
            titles = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), flags=re.MULTILINE)
            chapters = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
            assert chapter in chapters, f"{document}: {name}#{chapter}"


def test_the_security_policy_says_how_to_report_what_is_promised_and_what_is_not() -> None:
    titles = re.findall(r"^## (.*)$", text_of("SECURITY.md"), flags=re.MULTILINE)
    assert {"Report a vulnerability", "What is promised", "What is not promised"} <= set(titles)


def test_no_document_speaks_of_a_variable_that_does_not_exist() -> None:
    for document in (*DOCUMENTS, ".env.example", "manifest.yml", "Makefile", "Dockerfile", "compose.yaml"):
        named = set(re.findall(r"\b(?:SLACK|DD|BITS)_[A-Z][A-Z0-9_]*\b|\bDATABASE_URL\b", text_of(document)))
        assert named - OF_DATADOGS_TRACER <= set(variables())
