"""The automations that act on the sentinel's verdicts."""

import pytest

from alerting.plan import AutomationRule, Tier, build_plan
from alerting.plan.documents import trigger_document
from tests.shared.example_stack import (
    STACK,
    every_kind,
    native_rules_of,
    raw_settings,
    rules_of,
    settings_of,
)

pytestmark = pytest.mark.unit

STATELESS = ("lost", "p1-work-pool", "work-pool-ready")
"""Rules that need no history."""
DRILLS = ("drill", "drill-page", "drill-page-over")
WATCHING = ("sentinel-silent", "sentinel-back")
"""Rules that refer to the standby, which names pipelines."""
ESCALATING = {"owner": "web", "every": "1h", "escalate": True}


def verdict_rules(**changes: object) -> dict[str, AutomationRule]:
    """The rules that act on verdicts."""
    others = (*STATELESS, *WATCHING, *DRILLS)
    rules = rules_of(**changes)
    return {key: rule for key, rule in rules.items() if not rule.standby and key not in others}


def announced(*kinds: str, **labels: object) -> dict[str, object]:
    """The trigger of verdicts: their events, their stack, once for each."""
    return {
        "type": "event",
        "posture": "Reactive",
        "expect": [f"data-alerts.{kind}" for kind in kinds],
        "after": [],
        "for_each": ["prefect.resource.id"],
        "match": {"prefect.resource.id": "data-alerts.*", "data-alerts.scope": STACK, **labels},
        "match_related": {},
        "threshold": 1,
        "within": 0,
    }


ANY_OWNER = {"data-alerts.route": ["default"]}


def triggers_of(**changes: object) -> dict[str, object]:
    return {key: trigger_document(rule.trigger) for key, rule in verdict_rules(**changes).items()}


def test_each_tier_acts_on_its_verdict() -> None:
    assert triggers_of() == {
        "warning": announced("failure", **ANY_OWNER),
        "recovery": announced("fresh", "recovery", **ANY_OWNER),
        "critical": announced("streak", **ANY_OWNER),
        "escalation-15m": announced("escalation", **ANY_OWNER, **{"data-alerts.step": "15m"}),
        "escalation-1h": announced("escalation", **ANY_OWNER, **{"data-alerts.step": "1h"}),
        "late": announced("late", "stuck", **ANY_OWNER),
        "silence-over": announced("silence-over"),
        "resolved": announced("resolved", **ANY_OWNER),
        "p1-all-down": announced("all-down"),
        "p1-resolved": announced("not-all-down"),
    }


def test_a_tier_for_what_pipelines_expect_is_there_once_one_expects_it() -> None:
    new = triggers_of(**every_kind())
    assert {key: new[key] for key in set(new) - set(triggers_of())} == {
        "freshness": announced("stale", **ANY_OWNER),
        "anomaly": announced("anomaly", **ANY_OWNER),
        "success": announced("success", **ANY_OWNER),
        "summary": announced("summary"),
    }


def test_an_owner_with_channels_of_their_own_has_rules_where_these_differ() -> None:
    channels = {
        **raw_settings()["channels"],
        "shop": {"kind": "slack", "block": "shop", "secret": "slack-url"},
    }
    owners = {"shop": {"slack": "shop"}}
    rules = verdict_rules(channels=channels, owners=owners)
    told = {key: [each.channel for each in rule.notifications] for key, rule in rules.items()}
    assert {key: told[key] for key in told if "@" in key} == {
        "warning@shop": ["shop"],
        "recovery@shop": ["shop"],
        "critical@shop": ["shop", "on-call"],
        "late@shop": ["shop"],
    }
    routes = {"data-alerts.route": ["shop"]}
    triggers = triggers_of(channels=channels, owners=owners)
    assert triggers["warning@shop"] == announced("failure", **routes)
    assert triggers["warning"] == announced("failure", **ANY_OWNER)
    # Where they are told as everybody is, one rule tells of both.
    both = {"data-alerts.route": ["default", "shop"], "data-alerts.step": "15m"}
    assert triggers["escalation-15m"] == announced("escalation", **both)
    assert told["escalation-15m"] == ["on-call"]
    # What is deployed for owners does not follow from how many pipelines they have.
    many = {f"load-{number}": {**ESCALATING, "owner": "shop"} for number in range(100)}
    assert set(verdict_rules(channels=channels, owners=owners, pipelines=many)) == set(rules)


def test_what_needs_no_history_is_the_same_whoever_judges() -> None:
    judged, native = rules_of(), native_rules_of()
    for key in STATELESS:
        assert judged[key] == native[key]


@pytest.mark.parametrize(
    "pipelines",
    [
        {"only": ESCALATING, "other": {"owner": "x"}},
        {"a": {**ESCALATING, "deployment": "prod"}, "b": {"owner": "b", "every": "7d"}},
        {f"load-{number}": {**ESCALATING, "flow": f"flow {number}"} for number in range(1_000)},
    ],
    ids=["others", "deployments", "a thousand"],
)
def test_rules_that_act_on_verdicts_stay_the_same_whatever_pipelines_there_are(
    pipelines: dict[str, object],
) -> None:
    # An automation that is updated forgets what it has counted, and a deployment takes longer.
    assert verdict_rules(pipelines=pipelines) == verdict_rules()


def test_a_rule_follows_those_that_it_refers_to() -> None:
    seen: set[str] = set()
    for rule in build_plan(settings_of(), STACK).automations:
        assert {*rule.resumes, *rule.pauses, *rule.created_after} <= seen
        seen.add(rule.key)


def test_tiers_that_are_left_out_are_not_deployed() -> None:
    only_warning = {"warning": raw_settings()["tiers"]["warning"]}
    rules = rules_of(tiers=only_warning, escalation=[], pipelines={})
    assert list(rules) == [
        "warning",
        "recovery",
        "late",
        "silence-over",
        "lost",
        "standby-warning",
        "standby-recovery",
        "standby-late",
        *WATCHING,
        *DRILLS,
    ]


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_pipelines_cannot_all_be_down(count: int) -> None:
    rules = rules_of(pipelines={f"flow-{number}": {"owner": "web"} for number in range(count)})
    assert "p1-all-down" not in rules
    assert "p1-work-pool" in rules


def test_no_step_is_deployed_where_no_pipeline_escalates() -> None:
    rules = rules_of(pipelines={"a": {"owner": "a"}, "b": {"owner": "b"}})
    assert not [key for key in rules if "escalation" in key]


def test_every_automation_belongs_to_the_tier_that_its_key_names() -> None:
    others = {
        "sentinel-silent": Tier.ALERTING,
        "sentinel-back": Tier.ALERTING,
        "silence-over": Tier.SUMMARY,
        "resolved": Tier.RECOVERY,
        "p1-resolved": Tier.RECOVERY,
        "work-pool-ready": Tier.RECOVERY,
        "lost": Tier.LATE,
    }
    for key, rule in rules_of(**every_kind()).items():
        name = key.removeprefix("standby-").split("-")[0]
        assert rule.tier is (others[key] if key in others else Tier(name)), key


def test_where_triggers_judge_nothing_stands_by_and_nothing_is_watched() -> None:
    rules = native_rules_of()
    assert all(rule.enabled for rule in rules.values())
    assert not [key for key in rules if key in WATCHING or key.startswith("standby-")]
    assert not [rule for rule in rules.values() if rule.resumes or rule.pauses]


def test_never_both_at_once_the_sentinel_and_native_triggers() -> None:
    """What is deployed enabled and judges follows either runs or verdicts."""
    for rule in rules_of().values():
        if rule.enabled and rule.key not in STATELESS:
            assert "prefect.flow-run" not in str(trigger_document(rule.trigger))


@pytest.mark.parametrize("key", [*verdict_rules(), *WATCHING, *DRILLS])
def test_a_stack_with_a_prefix_acts_on_its_own_events_alone(key: str) -> None:
    one, other = rules_of()[key], rules_of(namePrefix="team-a")[key]
    assert "team-a" not in str(trigger_document(one.trigger))
    assert f"team-a.{STACK}" in str(trigger_document(other.trigger))
