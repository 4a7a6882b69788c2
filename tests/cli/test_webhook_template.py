"""`bits-bot webhook-template`: what a person pastes into Datadog."""

import json
from pathlib import Path

import pytest

from bot.cli import main
from bot.web.datadog_webhook import HEADER, TEMPLATE


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["webhook-template", *arguments]) == 0
    return capsys.readouterr().out


def test_it_prints_the_address_the_payload_and_the_header(capsys: pytest.CaptureFixture[str]) -> None:
    told = printed(capsys, "--url", "https://bits.example.org/")
    assert "\nhttps://bits.example.org/datadog/webhook/default\n" in told
    payload = told.partition("\nPayload\n")[2].partition("\n\n")[0]
    assert json.loads(payload) == TEMPLATE
    header = told.partition("(tick the box first)\n")[2].partition("\n")[0]
    assert list(json.loads(header)) == [HEADER]


def test_a_connected_organisation_has_an_address_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    told = printed(capsys, "--url", "https://bits.example.org", "--org", "acme-23456789")
    assert "\nhttps://bits.example.org/datadog/webhook/acme-23456789\n" in told
    assert "/default" not in told
    assert "the secret that was shown when it was connected" in told
    assert "BITS_WEBHOOK_SECRET" not in told
    with pytest.raises(SystemExit):
        main(["webhook-template", "--org", "Acme Europe"])
    assert "'Acme Europe' is no organisation's id" in capsys.readouterr().err


def test_the_address_comes_from_the_settings_however_few_are_filled_in(capsys: pytest.CaptureFixture[str]) -> None:
    assert "in place of bot.example.com" in printed(capsys)
    Path(".env").write_text("BITS_PUBLIC_URL=https://bits.example.org\nBITS_WEBHOOK_SECRET=never-print-this-secret\n")
    told = printed(capsys)
    assert "https://bits.example.org/datadog/webhook/default\n" in told
    assert "bot.example.com" not in told
    assert "never-print-this-secret" not in told


def test_every_value_is_quoted_because_an_empty_variable_would_break_the_payload() -> None:
    variables = {name: value for name, value in TEMPLATE.items() if name != "v"}
    assert all(isinstance(value, str) and value.startswith("$") for value in variables.values())
