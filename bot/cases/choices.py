"""What the selects of the case form offer: types, their statuses, projects, priorities. Pure."""

from collections.abc import Iterable

from bot.datadog.case_model import PRIORITIES, STANDARD_TYPE, CaseType, Project, StatusOption

NO_PRIORITY = "NOT_DEFINED"


def priority_of(monitor_priority: int | None) -> str:
    """A monitor's 1 to 5 as a case's P1 to P5."""
    name = f"P{monitor_priority}"
    return name if name in PRIORITIES else NO_PRIORITY


def offered_types(types: Iterable[CaseType], project: Project | None = None) -> tuple[CaseType, ...]:
    """Types a new case may have: Standard first, Datadog's own next, then the organisation's by name.

    Deleted ones are hidden. A project that says which custom types it takes hides the others.
    """
    enabled = frozenset(project.enabled_type_ids) if project else frozenset[str]()
    usable = [
        each
        for each in types
        if not each.deleted and (each.internal or each.id == STANDARD_TYPE or not enabled or each.id in enabled)
    ]
    return tuple(sorted(usable, key=lambda each: (each.id != STANDARD_TYPE, not each.internal, each.name.casefold())))


def preselected_type(offered: Iterable[CaseType], wanted_id: str = "") -> CaseType | None:
    """The type wanted (by the channel, or as chosen before) if it is offered, else the first."""
    listed = tuple(offered)
    return next((each for each in listed if each.id == wanted_id), listed[0] if listed else None)


def status_names(case_type: CaseType | None) -> tuple[StatusOption, ...]:
    """The statuses in the type's own words, each once, in Datadog's order: open, in progress, closed."""
    named: dict[str, StatusOption] = {}
    for option in case_type.statuses if case_type else ():
        named.setdefault(option.name, option)
    return tuple(named.values())


def first_status(case_type: CaseType | None) -> StatusOption | None:
    """What a new case of the type starts as."""
    opening = [option for option in status_names(case_type) if option.group == "open"]
    return next((option for option in opening if option.default), opening[0] if opening else None)


def sorted_projects(projects: Iterable[Project]) -> tuple[Project, ...]:
    return tuple(sorted(projects, key=lambda each: (each.name.casefold(), each.key)))


def search_projects(projects: Iterable[Project], words: str, limit: int = 100) -> tuple[Project, ...]:
    """Projects for what somebody typed: the key itself, then beginnings, then all that hold every word."""
    wanted = words.casefold().split()
    ranked = [(_rank(each, wanted), each) for each in sorted_projects(projects)]
    matching = sorted((pair for pair in ranked if pair[0] is not None), key=lambda pair: pair[0] or 0)
    return tuple(project for _, project in matching)[:limit]


def _rank(project: Project, wanted: list[str]) -> int | None:
    """0 for the best; None for no match."""
    key, name = project.key.casefold(), project.name.casefold()
    phrase = " ".join(wanted)
    if phrase == key:
        return 0
    if key.startswith(phrase) or name.startswith(phrase):
        return 1
    return 2 if all(word in f"{key} {name}" for word in wanted) else None
