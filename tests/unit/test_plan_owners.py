"""Whose PagerDuty is told that a pipeline is well again, where owners have their own."""

from typing import Any

import pytest

from tests.shared.example_stack import published_of, raw_settings, rules_of

pytestmark = pytest.mark.unit


def _changes(
    default: dict[str, object], own: dict[str, object], **tiers: dict[str, object]
) -> dict[str, Any]:
    """Everybody's PagerDuty and that of web, each with some keys replaced; None takes one out."""
    pager = {"kind": "pagerduty", "secret": "pagerduty-key"}
    changed = {
        name: {"block": name, **pager, **change}
        for name, change in {"on-call": default, "web-on-call": own}.items()
    }
    channels = {
        name: {key: value for key, value in channel.items() if value is not None}
        for name, channel in {**raw_settings()["channels"], **changed}.items()
    }
    return {
        "channels": channels,
        "owners": {"web": {"pagerduty": "web-on-call"}},
        "tiers": {**raw_settings()["tiers"], **tiers},
    }


def _told(prefix: str, changes: dict[str, Any]) -> dict[str, list[str]]:
    rules = rules_of(**changes)
    return {
        key: [each.channel for each in rule.notifications]
        for key, rule in rules.items()
        if key.partition("@")[0] == prefix
    }


NOT_SET_UP: dict[str, object] = {"secret": None}
PLAIN: dict[str, object] = {"incidents": "plain"}


@pytest.mark.parametrize("default", [NOT_SET_UP, PLAIN])
def test_an_owners_incidents_are_closed_also_where_everybodys_pagerduty_closes_none(
    default: dict[str, object],
) -> None:
    changes = _changes(default, {})
    assert "web-on-call" in _told("critical", changes)["critical@web"]
    assert _told("resolved", changes) == {"resolved@web": ["web-on-call"]}
    sentinel = published_of(**changes).sentinel
    assert sentinel is not None
    assert not any(name.startswith("resolved/") for name in sentinel.would_page)


@pytest.mark.parametrize("own", [NOT_SET_UP, PLAIN])
def test_an_owner_whose_pagerduty_closes_none_is_told_of_no_closing(
    own: dict[str, object],
) -> None:
    # Sent to the plain block, the news that an incident is over would be an incident.
    assert _told("resolved", _changes({}, own)) == {"resolved": ["on-call"]}


def test_where_both_close_each_is_told_of_its_own() -> None:
    expected = {"resolved": ["on-call"], "resolved@web": ["web-on-call"]}
    assert _told("resolved", _changes({}, {})) == expected


def test_where_nobody_closes_there_is_no_such_rule() -> None:
    assert _told("resolved", _changes(PLAIN, NOT_SET_UP)) == {}


def test_a_recovery_is_told_to_an_owners_pagerduty_where_nothing_closes_its_incidents() -> None:
    recovery: dict[str, object] = {"notify": ["alerts", "on-call"]}
    changes = _changes({}, PLAIN, recovery=recovery)
    assert _told("recovery", changes) == {
        "recovery": ["alerts"],
        "recovery@web": ["alerts", "web-on-call"],
    }
    changes = _changes(PLAIN, {}, recovery=recovery)
    assert _told("recovery", changes) == {
        "recovery": ["alerts", "on-call"],
        "recovery@web": ["alerts"],
    }
