"""What a deployment takes for its own of that which is there, and what stops it."""

from collections.abc import Sequence

import pytest

from alerting.adoption.claims import Claim, Claims, Knowledge, RefusedError, claims
from alerting.adoption.things import Found, Kind, Wanted
from alerting.plan.ownership import marked, stack_of, unmarked

pytestmark = pytest.mark.tools

WARNING = Wanted(Kind.AUTOMATION, "warning", "DLT Failure")
BLOCK = Wanted(Kind.BLOCK, "alerts", "slack-webhook/alerts")
SECRET = Wanted(Kind.SECRET, "slack-url", "prefect/slack-url")


def there(thing: Wanted, stack: str | None, id_: str = "an-id", name: str | None = None) -> Found:
    return Found(thing.kind, id_, name or thing.name, stack)


def decide(
    *found: Found, wanted: Sequence[Wanted] = (WARNING,), knows: Knowledge | None = None
) -> Claims:
    return claims(wanted, found, knows or Knowledge("prod"))


def refused(
    *found: Found, wanted: Sequence[Wanted] = (WARNING,), knows: Knowledge | None = None
) -> str:
    with pytest.raises(RefusedError) as raised:
        decide(*found, wanted=wanted, knows=knows)
    return str(raised.value)


def claimed(id_: str = "an-id") -> Claim:
    """A claim on what the last deployment did not know."""
    return Claim(import_id=id_, enabled=True)


def deployed(thing: Wanted, id_: str = "an-id", key: str | None = None) -> Knowledge:
    return Knowledge("prod", deployed={thing.kind: {key or thing.key: id_}})


def test_what_is_not_there_is_made() -> None:
    assert decide().of(Kind.AUTOMATION) == {}


@pytest.mark.parametrize("thing", [WARNING, BLOCK, SECRET], ids=lambda thing: thing.kind)
def test_what_carries_the_stacks_mark_is_taken_over(thing: Wanted) -> None:
    assert decide(there(thing, "prod"), wanted=[thing]).of(thing.kind) == {thing.key: claimed()}


@pytest.mark.parametrize("thing", [WARNING, BLOCK, SECRET], ids=lambda thing: thing.kind)
def test_what_carries_no_mark_stops_the_deployment(thing: Wanted) -> None:
    text = refused(there(thing, None), wanted=[thing])
    assert f"{thing.kind} {thing.name} (an-id): not made by this project" in text
    assert "alertctl adopt --stack prod" in text
    assert "data-alerts:namePrefix" in text


def test_what_another_stack_made_stops_the_deployment_and_names_it() -> None:
    assert "DLT Failure (an-id): made by stack staging\n" in refused(there(WARNING, "staging"))


def test_everything_that_stops_the_deployment_is_told_at_once() -> None:
    found = (there(WARNING, None), there(BLOCK, "dev"), there(SECRET, "prod"))
    text = refused(*found, wanted=[SECRET, BLOCK, WARNING])
    assert [line.strip().split(" (")[0] for line in text.splitlines()[1:-1]] == [
        "block slack-webhook/alerts",
        "automation DLT Failure",
    ]


def test_what_the_last_deployment_put_out_needs_no_mark() -> None:
    found = there(WARNING, None)
    assert decide(found, knows=deployed(WARNING)).of(Kind.AUTOMATION) == {
        "warning": Claim(import_id="an-id", enabled=True, deployed=True)
    }


def test_a_thing_under_a_new_key_is_renamed_and_not_imported() -> None:
    knows = deployed(WARNING, key="failure")
    assert decide(there(WARNING, "prod"), knows=knows).of(Kind.AUTOMATION) == {
        "warning": Claim(moved_from=("failure",), enabled=True, deployed=True)
    }


def test_two_of_one_name_stop_the_deployment_even_when_both_are_the_stacks() -> None:
    both = there(WARNING, "prod"), there(WARNING, "prod", "other")
    assert refused(*both).count("one of 2 of that name: delete all but one") == 2
    text = refused(*both, knows=deployed(WARNING))
    assert "(an-id): one of 2 of that name, and the one that is deployed: keep it" in text
    assert "(other): one of 2 of that name: delete it" in text


def test_one_made_by_hand_beside_the_stacks_own_stops_the_deployment() -> None:
    text = refused(there(WARNING, "prod"), there(WARNING, None, "other"), knows=deployed(WARNING))
    assert "(other): not made by this project" in text
    assert "(an-id)" not in text


def test_what_an_interrupted_renaming_made_is_taken_over() -> None:
    found = there(WARNING, "prod", "new")
    assert decide(found, knows=deployed(WARNING, "old")).of(Kind.AUTOMATION) == {
        "warning": claimed("new")
    }


def test_what_the_settings_adopt_is_taken_whatever_its_name() -> None:
    knows = Knowledge("prod", adopted={Kind.AUTOMATION: {"warning": "an-id"}})
    for found in (there(WARNING, None), there(WARNING, None, name="Made By Hand")):
        assert decide(found, knows=knows).of(Kind.AUTOMATION) == {"warning": claimed()}


def test_an_adoption_of_another_thing_of_that_name_does_not_count() -> None:
    knows = Knowledge("prod", adopted={Kind.AUTOMATION: {"warning": "another-id"}})
    assert "not made by this project" in refused(there(WARNING, None), knows=knows)


def test_an_adoption_of_what_is_not_there_stops_the_deployment() -> None:
    knows = Knowledge("prod", adopted={Kind.AUTOMATION: {"warning": "gone"}})
    text = refused(knows=knows)
    assert "(gone): is not there. Remove data-alerts:adopt.automations.warning" in text


def test_an_adoption_counts_no_more_once_it_is_deployed() -> None:
    knows = Knowledge(
        "prod",
        deployed={Kind.AUTOMATION: {"warning": "an-id"}},
        adopted={Kind.AUTOMATION: {"warning": "gone"}},
    )
    assert decide(there(WARNING, "prod"), knows=knows).of(Kind.AUTOMATION) == {
        "warning": Claim(import_id="an-id", enabled=True, deployed=True)
    }


def test_a_secret_that_is_there_for_the_stack_to_read_needs_no_mark() -> None:
    knows = Knowledge("prod", shared=frozenset({"slack-url"}))
    found = there(SECRET, None)
    assert decide(found, wanted=[SECRET], knows=knows).of(Kind.SECRET) == {"slack-url": claimed()}


def test_a_mark_is_read_as_it_was_written() -> None:
    text = marked("One failure: tell people.", "prod")
    assert stack_of(text) == "prod"
    assert unmarked(text) == "One failure: tell people."


@pytest.mark.parametrize(
    "text", ["", "One failure", "data-alerts: prod", "a\n\ndata-alerts: prod\nwas here"]
)
def test_what_only_looks_like_a_mark_is_none(text: str) -> None:
    assert stack_of(text) is None
    assert unmarked(text) == text
