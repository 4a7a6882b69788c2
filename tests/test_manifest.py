"""The Slack app's manifest: Slack accepts it, it fits both ways of connecting, and it asks for no more than it says."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from jsonschema import Draft7Validator
from pydantic import SecretStr

from bot.cases.work_object import ENTITY_TYPE
from bot.cli import main
from bot.config import load_settings
from bot.manifest import Mode, as_yaml, manifest, scopes
from tests.commands import COMMANDS
from tests.starts import APP_TOKEN, BOT_TOKEN, SOCKET_MODE, Environment

ROOT = Path(__file__).parents[1]
URL = "https://bot.example.com"
EVENTS_URL = f"{URL}/slack/events"
EVERY_FORM: list[tuple[Mode, str | None]] = [("socket", None), ("socket", URL), ("http", URL)]

# What Slack knows, as far as an app like this one could ask for it.
SCOPES_SLACK_KNOWS = """
    app_mentions:read assistant:write bookmarks:read bookmarks:write channels:history channels:join channels:manage
    channels:read chat:write chat:write.customize chat:write.public commands conversations.connect:read
    conversations.connect:write dnd:read emoji:read files:read files:write groups:history groups:read groups:write
    im:history im:read im:write incoming-webhook links.embed:write links:read links:write metadata.message:read
    mpim:history mpim:read mpim:write pins:read pins:write reactions:read reactions:write reminders:read
    reminders:write remote_files:read remote_files:share remote_files:write team.billing:read team.preferences:read
    team:read usergroups:read usergroups:write users.profile:read users:read users:read.email users:write
"""
SCOPE_AN_EVENT_NEEDS = {
    "app_home_opened": None,
    "app_mention": "app_mentions:read",
    "app_uninstalled": None,
    "channel_archive": "channels:read",
    "channel_rename": "channels:read",
    "entity_details_requested": None,
    "link_shared": "links:read",
    "member_joined_channel": "channels:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
    "reaction_added": "reactions:read",
    "team_access_granted": None,
    "team_access_revoked": None,
    "tokens_revoked": None,
    "user_change": "users:read",
}
CALLBACK_IDS = {
    ("message", "investigate_message"),
    ("message", "create_case_from_message"),
    ("message", "attach_message_to_case"),
    ("message", "comment_on_case"),
    ("global", "attach_insights"),
}


def test_slack_accepts_it() -> None:
    for mode, url in EVERY_FORM:
        schema = json.loads((ROOT / "tests/data/manifest.schema.json").read_text("utf-8"))
        assert [error.message for error in Draft7Validator(schema).iter_errors(manifest(mode, url))] == []


def test_the_file_in_the_repository_is_what_the_command_prints() -> None:
    assert (ROOT / "manifest.yml").read_text("utf-8") == as_yaml("socket"), "`make docs` writes it"


@pytest.mark.parametrize(("mode", "url"), EVERY_FORM)
def test_only_the_connection_differs_between_the_forms(mode: Mode, url: str | None) -> None:
    def without_connection(form: dict[str, Any]) -> dict[str, Any]:
        form["settings"].pop("socket_mode_enabled")
        form["settings"]["event_subscriptions"].pop("request_url", None)
        for name in ("request_url", "message_menu_options_url"):
            form["settings"]["interactivity"].pop(name, None)
        form["oauth_config"].pop("redirect_urls", None)
        for command in form["features"]["slash_commands"]:
            command.pop("url", None)
        return form

    assert without_connection(manifest(mode, url)) == without_connection(manifest("socket"))


def test_over_http_every_door_has_its_address() -> None:
    form = manifest("http", URL)
    settings = form["settings"]
    assert settings["socket_mode_enabled"] is False
    assert settings["event_subscriptions"]["request_url"] == EVENTS_URL
    assert settings["interactivity"]["request_url"] == EVENTS_URL
    assert settings["interactivity"]["message_menu_options_url"] == EVENTS_URL
    assert [command["url"] for command in form["features"]["slash_commands"]] == [EVENTS_URL]
    assert form["oauth_config"]["redirect_urls"] == [f"{URL}/slack/oauth_redirect"]


def test_in_socket_mode_no_address_is_needed() -> None:
    assert manifest("socket")["settings"]["socket_mode_enabled"] is True
    assert "http" not in json.dumps(manifest("socket"))


def test_socket_mode_with_oauth_has_the_address_people_come_back_to() -> None:
    form = manifest("socket", URL)
    assert form["oauth_config"]["redirect_urls"] == [f"{URL}/slack/oauth_redirect"]
    assert "request_url" not in form["settings"]["interactivity"]


def test_slack_run_finds_its_manifest_and_starts_the_bot_with_the_tokens_it_brings(
    environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    hooks = json.loads((ROOT / ".slack/hooks.json").read_text("utf-8"))["hooks"]
    python, *arguments = hooks["get-manifest"].split()
    assert python == ".venv/bin/bits-bot"
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out) == manifest("socket")
    assert hooks["start"] == ".venv/bin/bits-bot run"
    environment(SOCKET_MODE, SLACK_BOT_TOKEN=None, SLACK_APP_TOKEN=None)
    environment(SLACK_CLI_XOXB=BOT_TOKEN, SLACK_CLI_XAPP=APP_TOKEN)
    settings = load_settings(None)
    assert settings.slack_mode == "socket"
    assert settings.slack_bot_token == SecretStr(BOT_TOKEN)


def test_http_without_an_address_is_refused_with_what_to_type() -> None:
    with pytest.raises(ValueError, match="--url https://"):
        as_yaml("http")


def test_an_address_that_is_none_is_refused() -> None:
    for url in (
        "bot.example.com",
        "https://",
        'https://x"\n  evil: 1',
        "https://x y",
        "ftp://x",
        "http://bot.example.com",
    ):
        with pytest.raises(ValueError, match="must look like"):
            as_yaml("http", url)


def test_an_address_may_end_with_a_slash() -> None:
    assert manifest("http", f"{URL}/") == manifest("http", URL)


def test_no_marker_is_left_for_people_to_stumble_over() -> None:
    for mode in get_args(Mode):
        text = as_yaml(mode, URL)
        assert "{url}" not in text
        assert not [line for line in text.splitlines() if line.strip().startswith(("#http:", "#socket:", "#url:"))]


def test_slack_knows_every_scope_and_event() -> None:
    form = manifest("socket")
    assert set(form["oauth_config"]["scopes"]["bot"]) <= set(SCOPES_SLACK_KNOWS.split())
    assert set(form["settings"]["event_subscriptions"]["bot_events"]) <= set(SCOPE_AN_EVENT_NEEDS)


def test_each_event_comes_with_its_scope() -> None:
    asked = set(manifest("socket")["oauth_config"]["scopes"]["bot"])
    events = manifest("socket")["settings"]["event_subscriptions"]["bot_events"]
    assert {needed for event in events if (needed := SCOPE_AN_EVENT_NEEDS[event])} <= asked


def test_optional_scopes_are_asked_for_too_and_history_is_among_them() -> None:
    listed = manifest("socket")["oauth_config"]["scopes"]
    assert set(listed["bot_optional"]) <= set(listed["bot"])
    assert {scope for scope in listed["bot"] if scope.endswith(":history")} <= set(listed["bot_optional"])
    assert set(scopes().required) | set(scopes().optional) == set(listed["bot"])
    assert not set(scopes().required) & set(scopes().optional)


def test_every_scope_says_why_it_is_asked_for() -> None:
    lines = as_yaml("socket").splitlines()
    unexplained = [
        scope
        for scope in manifest("socket")["oauth_config"]["scopes"]["bot"]
        if not any(line.strip().startswith(f"- {scope} # ") for line in lines)
    ]
    assert unexplained == []


def test_the_shortcuts_carry_the_callback_ids_that_hold_still() -> None:
    shortcuts = manifest("socket")["features"]["shortcuts"]
    assert {(shortcut["type"], shortcut["callback_id"]) for shortcut in shortcuts} == CALLBACK_IDS


def test_people_and_channels_reach_the_command_as_ids() -> None:
    (command,) = manifest("socket")["features"]["slash_commands"]
    assert (command["command"], command["should_escape"]) == ("/bits", True)


def test_the_hint_beside_the_command_names_commands_that_exist() -> None:
    (command,) = manifest("socket")["features"]["slash_commands"]
    hinted = [hint.split()[0] for hint in command["usage_hint"].split(" | ")]
    assert set(hinted) <= {form.split()[0] for form, _ in COMMANDS.usage_lines}
    assert hinted[0] == "investigate"
    assert hinted[-1] == "help"


def test_a_whole_organisation_can_install_it_and_tokens_do_not_rotate_unasked() -> None:
    settings = manifest("socket")["settings"]
    assert settings["org_deploy_enabled"] is True
    assert settings["token_rotation_enabled"] is False


def test_what_work_objects_need_comes_only_where_it_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    """The published schema does not know Work Object Previews yet, though Slack's guide and samples do."""
    assert main(["manifest", "--json", "--work-objects"]) == 0
    form = json.loads(capsys.readouterr().out)
    previews = form["features"].pop("rich_previews")
    assert previews == {"is_active": True, "entity_types": [ENTITY_TYPE]}
    schema = json.loads((ROOT / "tests/data/manifest.schema.json").read_text("utf-8"))
    assert [error.message for error in Draft7Validator(schema).iter_errors(form)] == []
    events = form["settings"]["event_subscriptions"]["bot_events"]
    assert set(events) <= set(SCOPE_AN_EVENT_NEEDS)
    events.remove("entity_details_requested")
    assert form == manifest("socket")


def test_the_packaged_file_is_itself_a_readable_manifest() -> None:
    packaged = yaml.safe_load((ROOT / "bot/manifest.yml").read_text("utf-8"))
    assert packaged["display_information"] == manifest("socket")["display_information"]
