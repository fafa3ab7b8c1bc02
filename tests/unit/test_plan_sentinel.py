"""The automations that act on the sentinel's verdicts."""

import pytest

from alerting.plan import AutomationRule, Tier, build_plan
from alerting.plan.documents import trigger_document
from tests.unit.example_stack import STACK, native_rules_of, raw_settings, rules_of, settings_of

pytestmark = pytest.mark.unit

STATELESS = ("late", "p1-work-pool")
"""Rules that need no history."""
DRILLS = ("drill", "drill-page")
WATCHING = ("sentinel-silent", "sentinel-back")
"""Rules that refer to the standby, which names pipelines."""
ESCALATING = {"owner": "web", "every": "1h", "escalate": True}


def verdict_rules(**changes: object) -> dict[str, AutomationRule]:
    """The rules that act on verdicts."""
    others = (*STATELESS, *WATCHING, *DRILLS)
    rules = rules_of(**changes)
    return {key: rule for key, rule in rules.items() if not rule.standby and key not in others}


def announced(kind: str, scope: str = STACK, **labels: str) -> dict[str, object]:
    """The trigger of a verdict: its event, its stack, once for each."""
    return {
        "type": "event",
        "posture": "Reactive",
        "expect": [f"data-alerts.{kind}"],
        "after": [],
        "for_each": ["prefect.resource.id"],
        "match": {"prefect.resource.id": "data-alerts.*", "data-alerts.scope": scope, **labels},
        "match_related": {},
        "threshold": 1,
        "within": 0,
    }


def test_each_tier_acts_on_its_verdict() -> None:
    triggers = {key: trigger_document(rule.trigger) for key, rule in verdict_rules().items()}
    assert triggers == {
        "warning": announced("failure"),
        "recovery": announced("recovery"),
        "critical": announced("streak"),
        "escalation-15m": announced("escalation", **{"data-alerts.step": "15m"}),
        "escalation-1h": announced("escalation", **{"data-alerts.step": "1h"}),
        "p1-all-down": announced("all-down"),
    }


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
        "standby-warning",
        "standby-recovery",
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
    for key, rule in rules_of().items():
        name = key.removeprefix("standby-").split("-")[0]
        assert rule.tier is (Tier.ALERTING if name == "sentinel" else Tier(name))


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
