"""Who may start, look, manage and exceed: every kind of person against every kind of rule."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.model import PersonFacts, UnknownPerson
from bot.rules.model import ChannelRules, Starters, WorkspaceRules
from bot.rules.permissions import Allowed, NotAllowed, WhyNot, authorise, is_admin, manages, may_exceed, may_look

ANN = PersonFacts("UANN")
ADMIN = PersonFacts("UEVA", is_admin=True)
GUEST = PersonFacts("UGUE", is_guest=True)
STRANGER = PersonFacts("USTR", is_outsider=True)
MEMBER = PersonFacts("UMEM", groups=frozenset({"S1"}))
EVERYONE = ChannelRules("T1", "C1")
NAMED = replace(EVERYONE, starters=Starters(everyone=False, groups=("S1",), users=("UANN",)))
WORKSPACE = WorkspaceRules("T1")

some_facts = st.builds(
    PersonFacts,
    st.sampled_from(["UANN", "UBEN"]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.frozensets(st.sampled_from(["S1", "S2"])),
)
some_rules = st.builds(
    lambda starters: replace(EVERYONE, starters=starters),
    st.builds(
        Starters,
        st.booleans(),
        st.lists(st.sampled_from(["S1", "S3"]), unique=True).map(tuple),
        st.lists(st.sampled_from(["UANN", "UEVA"]), unique=True).map(tuple),
        st.booleans(),
        st.booleans(),
    ),
)


def why(verdict: Allowed | NotAllowed) -> WhyNot | str:
    return verdict.why if isinstance(verdict, NotAllowed) else verdict.rule


def test_who_may_start() -> None:
    cases: list[tuple[PersonFacts, ChannelRules, WhyNot | str]] = [
        (ANN, EVERYONE, "everyone in the workspace"),
        (ADMIN, EVERYONE, "workspace admin"),
        (GUEST, EVERYONE, WhyNot.GUEST),
        (STRANGER, EVERYONE, WhyNot.OUTSIDER),
        (GUEST, replace(EVERYONE, starters=Starters(guests=True)), "guests"),
        (STRANGER, replace(EVERYONE, starters=Starters(guests=True)), WhyNot.OUTSIDER),
        (STRANGER, replace(EVERYONE, starters=Starters(outsiders=True)), "people of other companies"),
        (GUEST, replace(EVERYONE, starters=Starters(users=("UGUE",))), "named user"),
        (ANN, NAMED, "named user"),
        (MEMBER, NAMED, "member of S1"),
        (PersonFacts("UBEN"), NAMED, WhyNot.NOT_NAMED),
        (ADMIN, NAMED, "workspace admin"),
        (replace(GUEST, groups=frozenset({"S1"})), NAMED, WhyNot.GUEST),
        (replace(ANN, is_deactivated=True), NAMED, WhyNot.DEACTIVATED),
        (replace(ADMIN, is_deactivated=True), EVERYONE, WhyNot.DEACTIVATED),
    ]
    for person, rules, expected in cases:
        assert why(authorise(person, rules)) == expected


def test_a_refusal_knows_whom_to_ask() -> None:
    refused = authorise(PersonFacts("UBEN"), NAMED)
    assert isinstance(refused, NotAllowed)
    assert refused.starters == NAMED.starters


def test_over_budget_is_for_admins_and_the_named() -> None:
    assert why(may_exceed(ADMIN, EVERYONE, WORKSPACE)) == "workspace admin"
    assert why(may_exceed(ANN, NAMED, WORKSPACE)) == "named user"
    assert why(may_exceed(MEMBER, NAMED, WORKSPACE)) == "member of S1"
    assert why(may_exceed(ANN, EVERYONE, WORKSPACE)) == WhyNot.NOT_NAMED
    assert why(may_exceed(ADMIN, EVERYONE, replace(WORKSPACE, admins_may_exceed=False))) == WhyNot.NOT_NAMED


def test_the_rules_belong_to_admins_and_the_named() -> None:
    assert why(manages(ADMIN, EVERYONE)) == "workspace admin"
    assert why(manages(ANN, NAMED)) == "named user"
    assert why(manages(ANN, EVERYONE)) == WhyNot.NOT_MANAGER
    assert not is_admin(ANN)
    assert not is_admin(UnknownPerson("ratelimited"))


@given(some_rules)
def test_an_admin_of_another_company_is_none_of_ours(rules: ChannelRules) -> None:
    theirs = replace(STRANGER, is_admin=True)
    assert authorise(theirs, rules) == authorise(STRANGER, rules)
    assert manages(theirs, rules) == manages(STRANGER, rules)
    assert may_exceed(theirs, rules, WORKSPACE) == may_exceed(STRANGER, rules, WORKSPACE)


@given(some_rules, st.text(max_size=20))
def test_who_is_not_known_is_always_refused(rules: ChannelRules, code: str) -> None:
    nobody = UnknownPerson(code)
    for verdict in (
        authorise(nobody, rules),
        may_look(nobody, rules),
        manages(nobody, rules),
        may_exceed(nobody, rules, WORKSPACE),
    ):
        assert verdict == NotAllowed(WhyNot.UNKNOWN, rules.starters, code)


@given(some_facts, some_rules)
def test_each_right_holds_the_weaker_ones(person: PersonFacts, rules: ChannelRules) -> None:
    if isinstance(may_exceed(person, rules, WORKSPACE), Allowed):
        assert isinstance(authorise(person, rules), Allowed)
    if isinstance(authorise(person, rules), Allowed) or isinstance(manages(person, rules), Allowed):
        assert isinstance(may_look(person, rules), Allowed)


@given(some_facts, some_rules)
def test_guests_and_outsiders_are_in_only_where_a_rule_says_so(person: PersonFacts, rules: ChannelRules) -> None:
    starters = rules.starters
    if isinstance(authorise(person, rules), Allowed) and person.person not in starters.users:
        assert not person.is_outsider or starters.outsiders
        assert not person.is_guest or person.is_outsider or starters.guests
