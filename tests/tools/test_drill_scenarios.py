"""What a drill expects follows from the plan."""

from collections import Counter
from pathlib import Path

import pytest

from alerting.plan import Tier, build_plan
from alerting.settings.stackfile import read_stack_file
from sandbox.drill.scenarios import Scenario, ScenarioBuilder

pytestmark = pytest.mark.tools

STACK_FILE = Path(__file__).resolve().parents[2] / "Pulumi.sandbox.yaml"


def _scenarios(suffix: str = "") -> dict[str, Scenario]:
    settings = read_stack_file(STACK_FILE).settings
    lanes = ScenarioBuilder(settings, build_plan(settings, "sandbox"), suffix).lanes()
    return {scenario.name: scenario for lane in lanes for scenario in lane}


def _told(scenario: Scenario) -> Counter[tuple[Tier, str]]:
    return Counter((expected.tier, expected.channel) for expected in scenario.expected)


def test_every_tier_is_expected_somewhere() -> None:
    expected = [e for scenario in _scenarios().values() for e in scenario.expected]
    # The sentinel is heard all along, and a drill of the other kind has events of its own. No
    # pipeline of the sandbox expects data, and no day ends.
    unplayed = {Tier.ALERTING, Tier.DRILL, Tier.FRESHNESS, Tier.ANOMALY, Tier.SUMMARY}
    assert {e.tier for e in expected} == set(Tier) - unplayed


def test_every_subject_is_filled_in() -> None:
    expected = [e for scenario in _scenarios().values() for e in scenario.expected]
    assert not [e.subject for e in expected if "{{" in e.subject]


def test_a_retry_that_succeeds_is_silent() -> None:
    assert _scenarios()["a retry that succeeds"].expected == ()


def test_a_streak_that_is_broken_pages_nobody_and_one_that_is_reached_pages_once() -> None:
    scenario = _scenarios()["a broken streak, and one reached"]
    assert _told(scenario) == {
        (Tier.WARNING, "data-alerts"): 5,
        (Tier.RECOVERY, "data-alerts"): 2,
        (Tier.CRITICAL, "data-alerts-critical"): 1,
        (Tier.CRITICAL, "on-call"): 1,
        # The page's incident is closed.
        (Tier.RECOVERY, "on-call"): 1,
    }
    assert {e.run for e in scenario.expected if e.tier is Tier.CRITICAL} == {5}
    assert {e.run for e in scenario.expected if e.tier is Tier.RECOVERY} == {2, 6}


def test_an_outage_pages_at_once_then_escalates_what_escalates_then_recovers() -> None:
    assert _told(_scenarios()["all pipelines down, escalation, recovery"]) == {
        (Tier.WARNING, "data-alerts"): 3,
        (Tier.P1, "on-call"): 1,
        (Tier.ESCALATION, "on-call"): 6,
        (Tier.RECOVERY, "data-alerts"): 3,
        # The incidents of the two that escalate, and that of all being down.
        (Tier.RECOVERY, "on-call"): 3,
        # Two announce their completions, before the outage and after it.
        (Tier.SUCCESS, "data-info"): 4,
    }


def test_a_second_drill_uses_flows_of_its_own() -> None:
    def flows(suffix: str) -> set[str]:
        scenarios = _scenarios(suffix).values()
        return {run.target.flow for s in scenarios for run in s.runs if "drill" in run.target.flow}

    assert flows("-2").isdisjoint(flows(""))
