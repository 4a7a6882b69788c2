"""By which names the channel settings keep projects and case types."""

from bot.cases.catalog import Catalog
from bot.cases.settings_lists import SettingsLists
from bot.datadog.cases import CaseType, Project


class Known:
    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    def known(self, _org: str) -> Catalog:
        return self.catalog


def test_a_name_is_kept_only_where_it_finds_the_same_again() -> None:
    types = (
        CaseType("t-1", "Outage"),
        CaseType("t-2", "Twice"),
        CaseType("t-3", "twice"),
        CaseType("t-4", " spaced"),
        CaseType("t-5", "x" * 70),
        CaseType("t-6", "Gone", deleted=True),
    )
    catalog = Catalog((Project("p-1", "WEB", "Web shop"), Project("p-2", "K" * 70, "Long")), types)
    names = SettingsLists(Known(catalog)).known("default")  # type: ignore[arg-type]
    assert names is not None
    assert [each.name for each in names.projects] == ["p-2", "WEB"]
    kept = {each.id: each.name for each in names.types}
    assert kept == {"t-1": "Outage", "t-2": "t-2", "t-3": "t-3", "t-4": "t-4", "t-5": "t-5"}
    for each in names.types:
        found = catalog.type_named(each.name)
        assert found is not None
        assert found.id == each.id
