"""Who each tier reaches, also while PagerDuty is not set up."""

from typing import Any

import pytest

from alerting.plan import AutomationRule, Tier
from tests.shared.example_stack import (
    every_kind,
    native_rules_of,
    published_of,
    raw_settings,
    rules_of,
)
from tests.shared.strict_rendering import Happened, render

pytestmark = pytest.mark.unit

GRAVE = {Tier.CRITICAL, Tier.ESCALATION, Tier.P1}
WITHOUT_PAGERDUTY = {
    **raw_settings()["channels"],
    "on-call": {"kind": "pagerduty", "block": "on-call"},
}


def channels_of(rule: AutomationRule) -> list[str]:
    return [notification.channel for notification in rule.notifications]


def tiers(**changes: object) -> dict[str, Any]:
    return {**raw_settings()["tiers"], **changes}


def test_each_tier_tells_the_channels_that_it_names() -> None:
    rules = rules_of()
    told = {key: channels_of(rule) for key, rule in rules.items() if not rule.standby}
    assert told == {
        "warning": ["alerts"],
        "recovery": ["alerts"],
        "critical": ["critical", "on-call"],
        "escalation-15m": ["on-call"],
        "escalation-1h": ["on-call"],
        "p1-all-down": ["on-call"],
        "late": ["alerts"],
        "silence-over": ["alerts"],
        "resolved": ["on-call"],
        "p1-resolved": ["on-call"],
        "lost": [],
        "p1-work-pool": ["on-call"],
        "work-pool-ready": ["on-call"],
        "sentinel-silent": ["on-call"],
        "sentinel-back": ["alerts", "on-call"],
        "drill": ["alerts", "critical"],
        "drill-page": ["on-call"],
        "drill-page-over": ["on-call"],
    }


def test_native_triggers_tell_the_same_channels() -> None:
    told = {key: channels_of(rule) for key, rule in native_rules_of().items()}
    assert told == {
        "warning": ["alerts"],
        "recovery": ["alerts", "on-call"],
        "late": ["alerts"],
        "critical-3d": ["critical", "on-call"],
        "critical": ["critical", "on-call"],
        "escalation-15m": ["on-call"],
        "escalation-1h": ["on-call"],
        "p1-all-down": ["on-call"],
        "lost": [],
        "p1-work-pool": ["on-call"],
        "work-pool-ready": ["on-call"],
        "drill": ["alerts", "critical"],
        "drill-page": ["on-call"],
        "drill-page-over": ["on-call"],
    }


def test_recovery_and_late_starts_go_to_the_slack_channel_that_heard_of_the_failure() -> None:
    rules = rules_of(tiers=tiers(warning={"notify": ["on-call", "alerts"]}))
    assert channels_of(rules["warning"]) == ["on-call", "alerts"]
    assert channels_of(rules["recovery"]) == ["alerts"]
    assert channels_of(rules["late"]) == ["alerts"]


def test_recovery_and_late_starts_may_go_elsewhere() -> None:
    rules = rules_of(tiers=tiers(recovery={"notify": ["critical"]}, late={"notify": ["on-call"]}))
    assert channels_of(rules["recovery"]) == ["critical"]
    assert channels_of(rules["late"]) == ["on-call"]


@pytest.mark.parametrize(
    ("tiers", "told"),
    [
        (("warning", "critical", "p1"), ["on-call"]),
        (("warning", "critical"), ["critical", "on-call"]),
        (("warning",), ["alerts"]),
    ],
)
def test_who_hears_the_gravest_tier_is_told_that_the_alerting_is_down(
    tiers: tuple[str, ...], told: list[str]
) -> None:
    rules = rules_of(tiers={name: raw_settings()["tiers"][name] for name in tiers})
    assert channels_of(rules["sentinel-silent"]) == told


def test_others_may_be_told_that_the_alerting_is_down() -> None:
    rules = rules_of(sentinel={"notify": ["critical", "alerts"]})
    assert channels_of(rules["sentinel-silent"]) == ["critical", "alerts"]
    assert channels_of(rules["sentinel-back"]) == ["alerts"]


def test_without_pagerduty_slack_hears_of_a_silent_sentinel_and_of_each_step() -> None:
    rules = rules_of(channels=WITHOUT_PAGERDUTY)
    for key in ("sentinel-silent", "escalation-15m", "escalation-1h", "critical", "p1-all-down"):
        assert channels_of(rules[key]) == ["critical"]
    would_page = "{} (PagerDuty channel on-call is not set up)"
    silent = rules["sentinel-silent"].notifications[0].body
    assert f"*Would page*: {would_page.format('on-call')}" in silent
    # What is said of verdicts is the sentinel's business.
    sentinel = published_of(channels=WITHOUT_PAGERDUTY).sentinel
    assert sentinel is not None
    assert sentinel.would_page == {
        "streak//default": would_page.format("on-call"),
        "escalation/15m/default": would_page.format("on-call engineer"),
        "escalation/1h/default": would_page.format("manager"),
        "all-down//": would_page.format("on-call"),
    }
    assert sentinel.pages == ()


def test_without_pagerduty_slack_hears_whom_it_would_page() -> None:
    rules = native_rules_of(channels=WITHOUT_PAGERDUTY)
    graver = {key: channels_of(rule) for key, rule in rules.items() if rule.tier in GRAVE}
    assert graver == {
        "critical-3d": ["critical"],
        "critical": ["critical"],
        "escalation-15m": ["critical"],
        "escalation-1h": ["critical"],
        "p1-all-down": ["critical"],
        "p1-work-pool": ["critical"],
    }
    would_page = "*Would page*: {} (PagerDuty channel on-call is not set up)"
    assert would_page.format("on-call") in rules["critical"].notifications[0].body
    assert would_page.format("on-call") in rules["p1-all-down"].notifications[0].body
    assert would_page.format("on-call") in rules["p1-work-pool"].notifications[0].body
    assert would_page.format("on-call engineer") in rules["escalation-15m"].notifications[0].body
    assert would_page.format("manager") in rules["escalation-1h"].notifications[0].body


def test_nobody_would_be_paged_where_pagerduty_is_set_up() -> None:
    for rule in (*rules_of().values(), *native_rules_of().values()):
        for notification in rule.notifications:
            assert "Would page" not in notification.body


def test_without_a_slack_channel_for_critical_the_one_for_warnings_hears_it() -> None:
    rules = rules_of(channels=WITHOUT_PAGERDUTY, tiers=tiers(critical={"notify": ["on-call"]}))
    assert channels_of(rules["critical"]) == ["alerts"]
    assert channels_of(rules["p1-all-down"]) == ["alerts"]


def test_without_any_slack_channel_whoever_is_warned_hears_it() -> None:
    channels = {
        "on-call": {"kind": "pagerduty", "block": "on-call", "secret": "pagerduty-key"},
        "managers": {"kind": "pagerduty", "block": "managers"},
    }
    rules = rules_of(
        channels=channels,
        tiers={"warning": {"notify": ["on-call"]}, "p1": {"notify": ["managers"]}},
        escalation=[{"after": "15m", "to": "manager", "notify": ["managers"]}],
    )
    told = {tuple(channels_of(rule)) for key, rule in rules.items() if key != "lost"}
    assert told == {("on-call",)}
    step = rules["standby-escalation-15m"].notifications[0]
    details = render(step, Happened()).fields
    assert details["Would page"] == "manager (PagerDuty channel managers is not set up)"


@pytest.mark.parametrize("pagerduty", [True, False])
def test_every_automation_tells_somebody_once(pagerduty: bool) -> None:
    channels = raw_settings()["channels"] if pagerduty else WITHOUT_PAGERDUTY
    for key, rule in rules_of(channels=channels).items():
        # Prefect makes a crash of it, of which people are told.
        assert channels_of(rule) or (key == "lost" and rule.crashes), key
        assert len(set(channels_of(rule))) == len(channels_of(rule)), key


def test_slack_gets_markup_and_pagerduty_does_not() -> None:
    slack, pagerduty = native_rules_of()["critical"].notifications
    assert slack.subject == ":rotating_light: CRITICAL: {{ flow.name }} failed 3 times"
    assert pagerduty.subject == "CRITICAL: {{ flow.name }} failed 3 times"
    assert "\n*Owner*: " in slack.body
    assert '"Owner": ' in pagerduty.body
    assert "*Owner" not in pagerduty.body


def test_a_message_goes_through_the_block_that_takes_its_form() -> None:
    blocks = {
        notification.channel: notification.block
        for rule in (*rules_of(**every_kind()).values(), *native_rules_of(**every_kind()).values())
        for notification in rule.notifications
    }
    assert blocks == {
        "alerts": "alerts",
        "rich": "rich-rich",
        "teams": "teams",
        "mail": "mail",
        "hook": "hook",
        "on-call": "on-call-incidents",
        "bell": "bell",
    }


def test_no_message_has_a_slack_link_since_prefect_escapes_its_brackets() -> None:
    for rule in rules_of().values():
        for notification in rule.notifications:
            assert "<http" not in notification.body
