"""The types in people's words."""

from bot.datadog.insights import KINDS, InsightType, kind_of, readable_type, type_summary


def test_all_types_have_names_a_form_and_hints() -> None:
    assert set(KINDS) == set(InsightType)
    assert len({kind.name for kind in KINDS.values()}) == len(KINDS)
    assert all(kind.plural and kind.ref_hint and kind.id_form.hint for kind in KINDS.values())


def test_a_type_datadog_added_since_is_shown_in_its_own_words() -> None:
    assert kind_of("NEW_THING") is None
    assert readable_type("NEW_THING") == "new thing"
    assert readable_type("") == "insight"


def test_types_are_summed_up() -> None:
    cases: list[tuple[list[str], str]] = [
        ([], ""),
        (["MONITOR"], "1 monitor"),
        (["INCIDENT", "MONITOR", "MONITOR", "MONITOR"], "3 monitors, 1 incident"),
        (["WATCHDOG_STORY", "WATCHDOG_STORY", "NEW_THING"], "2 Watchdog stories, 1 new thing"),
    ]
    for types, summary in cases:
        assert type_summary(types) == summary


def test_the_article_fits_the_name() -> None:
    assert KINDS[InsightType.INCIDENT].one == "an incident"
    assert KINDS[InsightType.MONITOR].one == "a monitor"
