"""The table of commands: how a name is found in what was typed, and what is said where there is none."""

from bot.slack.blocks import Message
from bot.slack.commands import Typed
from tests.commands import COMMANDS
from tests.investigations.samples import HOSTILE
from tests.slack.blockkit import check_message


def told(text: str) -> str:
    message = COMMANDS.parse(text)
    assert isinstance(message, Message), message
    check_message(message)
    return message.text


def test_a_command_is_found_by_its_name_or_alias_whatever_its_letters() -> None:
    for text in ("help", "HELP me", "?", "help: please", "-h", "hey <@U0BITS> help", "<@U0BITS|b>: ?"):
        typed = COMMANDS.parse(text)
        assert isinstance(typed, Typed)
        assert typed.command.name == "help"


def test_whoever_types_nothing_sees_what_there_is() -> None:
    for text in ("", "  \u200b ", "<@U0BITS>"):
        assert "What can I do for you?" in told(text)


def test_an_unknown_word_gets_what_was_perhaps_meant() -> None:
    assert "Did you mean `/bits list 5`?" in told("Lst 5")
    assert "Did you mean `/bits status`?" in told("statsu")


def test_nothing_that_costs_is_suggested_for_an_unknown_word() -> None:
    for text in ("investgate 5", "<@U0BITS> why is it slow", "12345", "fly me to the moon"):
        assert "I don't know" in told(text)
        assert "Did you mean" not in told(text)


def test_nothing_that_was_typed_is_live() -> None:
    assert "<!" not in told(f"{HOSTILE} {HOSTILE}")


def test_every_list_of_commands_holds_every_form_and_nothing_in_it_is_live() -> None:
    for form, meaning in COMMANDS.usage_lines:
        assert meaning
        assert form.replace("<", "&lt;").replace(">", "&gt;") in told("")
    assert "<" not in told("")
