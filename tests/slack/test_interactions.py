"""A retry of a gesture is known by its key, a second gesture is not taken for one."""

from typing import Any

from bot.model import Place
from bot.slack.interactions import of_command, of_mention, of_message, of_submission

CLICK: dict[str, Any] = {
    "type": "block_actions",
    "trigger_id": "1.2.3",
    "team": {"id": "T1"},
    "user": {"id": "U1"},
    "channel": {"id": "C1"},
    "message": {"ts": "10.1", "thread_ts": "9.1"},
    "actions": [{"action_id": "card:run_again", "action_ts": "11.1", "value": "7"}],
    "response_url": "https://hooks.example.com/secret",
}
COMMAND = {"trigger_id": "1.2.3", "team_id": "T1", "user_id": "U1", "channel_id": "C1", "text": "investigate 1"}
MENTION = {"team_id": "T1", "event": {"type": "app_mention", "ts": "10.1", "channel": "C1", "user": "U1"}}


def test_the_same_gesture_delivered_twice_has_one_key() -> None:
    assert of_message(CLICK).key == of_message({**CLICK}).key
    assert of_command(COMMAND).key == of_command({**COMMAND}).key
    assert of_mention({**MENTION, "event_id": "Ev1"}).key == of_mention({**MENTION, "event_id": "Ev2"}).key


def test_two_gestures_have_two_keys_even_where_their_triggers_are_alike() -> None:
    later = {**CLICK, "actions": [{**CLICK["actions"][0], "action_ts": "12.1"}]}
    keys = {
        of_message(CLICK).key,
        of_message(later).key,
        of_message({**CLICK, "user": {"id": "U2"}}).key,
        of_command(COMMAND).key,
        of_command({**COMMAND, "text": "investigate 2"}).key,
        of_command({**COMMAND, "user_id": "U2"}).key,
    }
    assert len(keys) == 6


def test_a_key_gives_no_response_url_away() -> None:
    assert "hooks" not in of_message(CLICK).key


def test_a_click_in_a_thread_is_answered_in_that_thread() -> None:
    assert of_message(CLICK).place == Place("T1", "C1", "9.1")
    assert of_message({**CLICK, "message": {"ts": "10.1"}}).place == Place("T1", "C1", "10.1")


def test_a_mention_in_the_channel_opens_a_thread_under_itself() -> None:
    assert of_mention(MENTION).place == Place("T1", "C1", "10.1")
    # a colleague of theirs spoke, and we hear it for the workspace that has the app
    shared = {**MENTION, "team_id": "T2", "authorizations": [{"team_id": "T1", "enterprise_id": None}]}
    assert of_mention(shared).place.workspace == "T1"
    org_wide = {**MENTION, "authorizations": [{"enterprise_id": "E1", "is_enterprise_install": True}]}
    assert of_mention(org_wide).place.workspace == "T1"


def test_the_views_of_one_modal_are_one_gesture() -> None:
    first = of_submission({"view": {"id": "V1", "root_view_id": "V1"}, "user": {"id": "U1"}})
    second = of_submission({"view": {"id": "V2", "root_view_id": "V1"}, "user": {"id": "U1"}})
    assert first.key == second.key


def test_where_an_org_wide_install_names_no_workspace_it_is_the_messages_and_not_the_clickers() -> None:
    click = {**CLICK, "team": None, "user": {"id": "U9", "team_id": "T9"}}
    assert of_message({**click, "message": {**CLICK["message"], "team": "T1"}}).workspace == "T1"
    assert of_message(click).workspace == ""
    in_window = {**click, "message": None, "view": {"id": "V1", "team_id": "T1", "app_installed_team_id": "E1"}}
    assert of_message(in_window).workspace == "T1"


def test_a_window_opened_from_another_companys_channel_belongs_where_the_app_is_installed() -> None:
    view = {"id": "V1", "team_id": "T9", "app_installed_team_id": "T1"}
    assert of_submission({"team": {"id": "T9"}, "user": {"id": "U9", "team_id": "T9"}, "view": view}).workspace == "T1"


def test_what_is_done_in_no_message_is_done_in_the_persons_own_workspace() -> None:
    shortcut = {
        "type": "shortcut",
        "team": None,
        "user": {"id": "U9", "team_id": "T9"},
        "callback_id": "attach_insights",
    }
    assert of_message(shortcut).workspace == "T9"
