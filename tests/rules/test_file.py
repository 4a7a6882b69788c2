"""The rules file: what it may say, and that every problem is told at once, with its line."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.file import (
    RuleFile,
    RuleFileProblems,
    WrittenChannel,
    WrittenWorkspace,
    load_rule_file,
    read_rules,
    settings_of,
)
from bot.rules.model import AlertFilter, AutoCase, CaseDefaults, Starters

WHOLE = """
workspaces:
  - budget_per_day: 40
    automatic_share: 10
    admins_may_exceed: false
channels:
  - channel: C0123456789
    org: default
    route: {tags: [team:core, env:prod], priorities: [P1, 2], monitors: 7, transitions: [alert, No Data]}
    default: true
    nudge: true
    auto: {transitions: warn}
    cooldown_minutes: 30
    budget_per_day: 12
    case: {project: CORE, type: STANDARD}
    starters:
      everyone: false
      groups: [S0GROUP1]
      users: [U0ANA]
      guests: true
      outsiders: true
    broadcast: true
  - channel: "#alerts"
    route: {}
"""


def problems(text: str, name: str = "rules.yml") -> list[str]:
    with pytest.raises(RuleFileProblems) as refused:
        read_rules(text, name)
    return refused.value.problems


def problem(text: str, name: str = "rules.yml") -> str:
    (only,) = problems(text, name)
    return only


def test_everything_a_channel_can_decide() -> None:
    file = read_rules(WHOLE, "rules.yml")
    rules = file.channels[0].placed("T1", "C0123456789")
    assert rules.route == AlertFilter(
        frozenset({"team:core", "env:prod"}), frozenset({1, 2}), frozenset({7}), frozenset({"alert", "no data"})
    )
    assert rules.auto == AlertFilter(transitions=frozenset({"warn"}))
    assert rules.starters == Starters(
        everyone=False, groups=("S0GROUP1",), users=("U0ANA",), guests=True, outsiders=True
    )
    assert (rules.org, rules.is_default, rules.nudge, rules.broadcast) == ("default", True, True, True)
    assert (rules.cooldown_minutes, rules.budget_per_day) == (30, 12)
    assert (rules.case, rules.from_file) == (CaseDefaults("CORE", "STANDARD"), True)
    (workspace,) = file.workspaces
    told = workspace.placed("T1")
    assert (told.budget_per_day, told.automatic_share, told.admins_may_exceed) == (40, 10, False)
    assert file.names == ("#alerts",)
    assert file.channels[1].placed("T1", "C2").route == AlertFilter()


def test_the_example_in_the_documents_holds_every_setting_and_can_be_used() -> None:
    page = (Path(__file__).parents[2] / "docs/channel-rules.md").read_text("utf-8")
    example = page.split("<!-- rules file")[1].split("```yaml")[1].split("```")[0]
    assert read_rules(example, "rules.yml").channels
    settings = yaml.safe_load(example)
    for told, kind in (
        (settings["workspaces"][0], WrittenWorkspace),
        (settings["channels"][0], WrittenChannel),
        (settings["channels"][0]["route"], AlertFilter),
        (settings["channels"][0]["starters"], Starters),
        (settings["channels"][0]["case"], CaseDefaults),
        (settings["channels"][0]["case"]["create"], AutoCase),
    ):
        assert set(told) == settings_of(kind)


def test_json_says_the_same() -> None:
    text = '{"channels": [{"channel": "C0123456789", "route": {"tags": ["team:core"]}, "budget_per_day": 3}]}'
    (entry,) = read_rules(text, "rules.json").channels
    assert entry.placed("T1", entry.channel).budget_per_day == 3


def test_where_the_bot_serves_one_workspace_rules_for_others_are_left_out_and_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    channels = '[{channel: C1AA}, {channel: C2AA, workspace: T1AA}, {channel: "#far", org: eu, workspace: T2AA}]'
    file = read_rules(f"channels: {channels}\nworkspaces: [{{budget_per_day: 4, workspace: T2AA}}]", "rules.yml")
    here = file.within("T1AA")
    assert ([entry.channel for entry in here.channels], here.workspaces, here.names) == (["C1AA", "C2AA"], (), ())
    assert caplog.messages == ["rules.yml: the rules for T2AA have no effect, the workspace of SLACK_BOT_TOKEN is T1AA"]


def test_an_empty_file_sets_nothing() -> None:
    assert read_rules("# nothing yet\n", "rules.yml") == RuleFile("rules.yml")


def test_every_problem_is_told_at_once_with_its_line() -> None:
    text = """\
workspaces:
  - budget_per_day: 5
    automatic_share: 6
channels:
  - chanel: C0123456789
    channel: C0123456789
    budget_per_day: many
  - channel: "#alerts"
    route:
      transitions: [alarm]
      priorities: [9]
  - channel:
    nudge: yes please
"""
    told = problems(text)
    assert [sentence.split(":")[0] for sentence in told] == [
        "rules.yml, line 2",
        "rules.yml, line 5",
        "rules.yml, line 7",
        "rules.yml, line 10",
        "rules.yml, line 11",
        "rules.yml, line 12",
        "rules.yml, line 13",
    ]
    said = "\n".join(told)
    assert "automatic_share is more than budget_per_day" in said
    assert "channels[0].chanel is no setting of the rules file (did you mean channel?)" in said
    assert "line 7: channels[0].budget_per_day must be a whole number." in said
    assert (
        "line 10: channels[1].route.transitions[0] is not usable: 'alarm' is no transition; it is one of alert" in said
    )
    assert "line 11: channels[1].route.priorities[0] is out of range" in said
    assert "line 12: channels[2].channel must be text; put it in quotes." in said
    assert "line 13: channels[2].nudge must be true or false." in said


def test_a_problem_says_where_and_what() -> None:
    for text, name, words in (
        ("channels: [", "rules.yml", "line 1: this is no YAML"),
        ('{"channels": [,]}', "rules.json", "line 1: this is no JSON"),
        ("- C1\n", "rules.yml", "the file must be a group of settings"),
        ("channels:\n  - channel: Alerts Here\n", "rules.yml", "line 2: channels[0].channel is not usable"),
        ("channels:\n  - nudge: true\n", "rules.yml", "line 2: channels[0].channel is missing"),
        ("channels:\n  - channel: C1AA\n    nudge: true\n    nudge: false\n", "rules.yml", "stands there twice"),
        ("channels:\n  - channel: C1AA\n    starters: {users: ana}\n", "rules.yml", "'ana' is no person"),
        ("channels:\n  - channel: C1AA\n    starters: {groups: '@sre'}\n", "rules.yml", "'@sre' is no user group"),
        ("channels:\n  - channel: C1AA\n    route: {tags: 'a b'}\n", "rules.yml", "'a b' is no tag"),
        ("channels:\n  - channel: C1AA\n    budget_per_day: -1\n", "rules.yml", "is out of range"),
        ("channels:\n\t- channel: C1AA\n", "rules.yml", "this is no YAML"),
        ("channels:\n  - channel: C1AA\n    from_file: true\n", "rules.yml", "from_file is no setting"),
        ("channels:\n  - channel: C1AA\n    route: {tags: {a: b}}\n", "rules.yml", "must be a list, like [a, b]"),
        ("channels:\n  - channel: C1AA\n    case: CORE\n", "rules.yml", "must be a group of settings"),
        ("channels:\n  - channel: C1AA\n    route: {monitors: [7.5]}\n", "rules.yml", "must be a whole number"),
    ):
        assert words in problem(text, name)


def test_the_same_channel_twice_is_no_choice_for_us_to_make() -> None:
    twice = 'channels:\n  - channel: "#alerts"\n  - channel: alerts\n'
    assert "line 3: channels[1] is about the same as channels[0]" in problem(twice)


def test_the_file_is_read_as_utf8(tmp_path: Path) -> None:
    path = tmp_path / "rules.yml"
    path.write_text('channels:\n  - channel: "#störungen"\n', "utf-8")
    assert load_rule_file(path).names == ("#störungen",)
    path.write_bytes(b"channels: [\xff\xfe]")
    with pytest.raises(RuleFileProblems, match="save it as UTF-8"):
        load_rule_file(path)


@given(st.text(alphabet="{}[]:,-\"' \n#abc01&*!|>%@`", max_size=60) | st.text(max_size=40))
def test_whatever_stands_in_it_is_read_or_refused_in_words(text: str) -> None:
    for name in ("rules.yml", "rules.json"):
        told: list[str] = []
        try:
            read_rules(text, name)
        except RuleFileProblems as refused:
            told = refused.problems
        assert all(sentence.startswith(name) and sentence.endswith(".") for sentence in told)
