"""What the settings offer for the project and the type of new cases."""

from bot.rules.case_names import AS_IT_WAS, NONE, CaseName, CaseNames, chosen, gone, names_of, offered, read_choice
from bot.sandbox.slack.blockkit import check_options

WEB = CaseName("id-1", "WEB", "Web shop (WEB)")
WEBHOOKS = CaseName("id-2", "HOOK", "A web of hooks (HOOK)")
NAMES = (WEBHOOKS, WEB)


class Lists:
    def __init__(self, **known: CaseNames) -> None:
        self._known = known

    def known(self, org: str) -> CaseNames | None:
        return self._known.get(org)

    async def learn(self, org: str, workspace: str) -> None: ...


def words(names: tuple[CaseName, ...] | None, typed: str) -> list[str]:
    options = offered(names, typed)
    assert check_options({"options": options}) == []
    return [each["text"]["text"] for each in options]


def test_what_is_typed_is_looked_for_its_key_first() -> None:
    assert words(NAMES, "") == ["None", "A web of hooks (HOOK)", "Web shop (WEB)"]
    assert words(NAMES, "web") == ["Web shop (WEB)", "A web of hooks (HOOK)"]
    assert words(NAMES, "hooks of") == ["A web of hooks (HOOK)"]
    assert words(NAMES, "nothing like it") == []


def test_at_most_a_hundred_are_offered() -> None:
    many = tuple(CaseName(f"id-{number}", f"K{number}", f"Project {number}") for number in range(500))
    assert len(words(many, "")) == 100


def test_before_the_list_is_here_what_is_typed_can_be_taken() -> None:
    (typed,) = offered(None, " WEB\n")
    assert (typed["value"], typed["description"]["text"]) == ("WEB", "As you typed it. Datadog's list isn't here yet.")
    assert words(None, "")[1].startswith("Still loading from Datadog")
    assert len(words(None, "x" * 300)) == 1


def test_what_was_chosen_is_read() -> None:
    read = {value: read_choice(value, "OLD") for value in ("WEB", NONE, AS_IT_WAS, "")}
    assert read == {"WEB": "WEB", NONE: "", AS_IT_WAS: "OLD", "": ""}


def test_what_the_rules_name_is_shown_by_its_words_and_what_is_gone_by_its_name() -> None:
    assert chosen(NAMES, "web")["text"]["text"] == chosen(NAMES, "ID-1")["text"]["text"] == "Web shop (WEB)"
    assert chosen(NAMES, "OLD")["text"]["text"] == chosen(None, "OLD")["text"]["text"] == "OLD"
    assert "Datadog doesn't list OLD any more" in gone(NAMES, "OLD")
    assert gone(NAMES, "") == gone(NAMES, "web") == gone(None, "OLD") == ""


def test_where_several_organisations_are_possible_all_their_names_are_offered_once() -> None:
    lists = Lists(a=CaseNames((WEB,)), b=CaseNames((CaseName("id-9", "web", "Web EU (web)"), WEBHOOKS)))
    both = names_of(lists, ["a", "b"])
    assert both is not None
    assert sorted(each.name for each in both.projects) == ["HOOK", "web"]
    assert names_of(lists, ["a", "c"]) is None
    assert names_of(lists, []) is None
