"""What is still to be told after a silence, in which native triggers stood in."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import pytest

from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.catching_up import StandbyFiring, Told, late_run, missed, standby_firing
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import judge
from alerting.sentinel.overdue import Overdue, overdue_id
from alerting.sentinel.verdicts import Verdict
from tests.shared.example_stack import published_of, rules_of
from tests.shared.histories import end, minute, runs, told

pytestmark = pytest.mark.judging

SETTINGS = published_of()
NOW = minute(100)
LONG_AGO = minute(-1_000)


def firing(key: str, at: float, ended: Ended) -> dict[str, Any]:
    """The event of a standby automation that fired on a run's end."""
    outcome = "FAILED" if ended.failed else "COMPLETED"
    roles = {"flow": ended.flow, "deployment": ended.deployment, "tag": "dlt"}
    return {
        "occurred": minute(at).isoformat(),
        "event": "prefect.automation.triggered",
        "resource": {
            "prefect.resource.id": "prefect.automation.1",
            "prefect.resource.name": rules_of()[f"standby-{key}"].name,
        },
        "payload": {
            "triggering_event": {
                "id": str(ended.state_id),
                "occurred": ended.at.isoformat(),
                "event": f"prefect.flow-run.{ended.state}",
                "resource": {
                    "prefect.resource.id": f"prefect.flow-run.{ended.run_id}",
                    "prefect.resource.name": ended.run,
                    "prefect.state-type": outcome,
                    "prefect.state-name": ended.state,
                    "prefect.state-message": ended.message,
                    "prefect.state-timestamp": ended.at.isoformat(),
                },
                "related": [
                    {
                        "prefect.resource.id": f"prefect.{role}.{name}",
                        "prefect.resource.role": role,
                        "prefect.resource.name": name,
                    }
                    for role, name in roles.items()
                    if name
                ],
            }
        },
    }


def firings(*events: dict[str, Any]) -> Told:
    """What the standby told; every one of the events must be of the standby."""
    found = [standby_firing(event, SETTINGS) for event in events]
    assert None not in found
    return Told(firings=tuple(each for each in found if each))


def missed_of(found: list[Verdict], since: datetime, already: Told) -> list[Verdict]:
    """What is missed of verdicts that all were to be told."""
    return missed(found, found, since, already, SETTINGS)


def still_to_tell(
    history: Iterable[Ended], already: Told, *kinds: VerdictKind
) -> list[tuple[str, float, str]]:
    return told(missed_of(judge(history, SETTINGS, NOW), LONG_AGO, already), *kinds)


@pytest.mark.parametrize(
    ("key", "kind", "step"),
    [
        ("warning", VerdictKind.FAILURE, None),
        ("recovery", VerdictKind.RECOVERY, None),
        ("critical", VerdictKind.STREAK, None),
        ("critical-3d", VerdictKind.STREAK, None),
        ("escalation-15m", VerdictKind.ESCALATION, "15m"),
        ("p1-all-down", VerdictKind.ALL_DOWN, None),
    ],
)
def test_a_standby_automation_says_what_it_told(
    key: str, kind: VerdictKind, step: str | None
) -> None:
    ended = end("F", 3, "load-clicks", "prod")
    assert standby_firing(firing(key, 4, ended), SETTINGS) == StandbyFiring(
        kind, step, minute(4), ended, "load-clicks/prod"
    )


def test_a_step_for_deployments_says_which_step_it_is() -> None:
    pipelines = {"clicks": {"owner": "web", "deployment": "prod", "escalate": True}}
    settings = published_of(pipelines=pipelines)
    event = firing("warning", 4, end("F", 3, "clicks", "prod"))
    rule = rules_of(pipelines=pipelines)["standby-escalation-15m-deployments"]
    event["resource"]["prefect.resource.name"] = rule.name
    found = standby_firing(event, settings)
    assert found is not None
    assert (found.kind, found.step) == (VerdictKind.ESCALATION, "15m")


def test_every_standby_automation_is_understood() -> None:
    assert SETTINGS.sentinel is not None
    keys = set(SETTINGS.sentinel.standby)
    # A run that is late has not ended.
    assert "late" in keys
    for key in keys - {"late"}:
        assert standby_firing(firing(key, 4, end("F", 3)), SETTINGS) is not None


def test_a_late_run_that_the_standby_told_of_is_no_end_and_is_not_told_again() -> None:
    run = end("F", 3, "load-clicks", "prod")
    event = firing("late", 4, run)
    labels = event["payload"]["triggering_event"]["resource"]
    labels |= {"prefect.state-type": "SCHEDULED", "prefect.state-name": "Late"}
    assert standby_firing(event, SETTINGS) is None
    late = late_run(event, SETTINGS)
    assert late is not None
    [verdict] = Overdue(SETTINGS).look([(run, run.at)], [], NOW)
    assert overdue_id(VerdictKind.LATE, late, SETTINGS) == verdict.id
    assert late_run(firing("warning", 4, run), SETTINGS) is None


def test_other_automations_told_nothing_that_counts() -> None:
    event = firing("warning", 4, end("F", 3))
    for name in ("DLT Pipeline Failure Alert", "[other] DLT Pipeline Failure Alert (standby)", ""):
        event["resource"]["prefect.resource.name"] = name
        assert standby_firing(event, SETTINGS) is None


def test_a_firing_without_an_event_of_a_run_told_nothing_that_counts() -> None:
    event = firing("warning", 4, end("F", 3))
    without_tag = json.loads(json.dumps(event).replace("prefect.tag.dlt", "prefect.tag.etl"))
    assert standby_firing(without_tag, SETTINGS) is None
    event["payload"]["triggering_event"] = None
    assert standby_firing(event, SETTINGS) is None


def test_everything_is_told_that_nobody_told() -> None:
    history = runs("F F F S")
    found = judge(history, SETTINGS, NOW)
    assert missed_of(found, LONG_AGO, Told()) == found


def test_nothing_is_told_that_became_true_before() -> None:
    found = judge(runs("F F F S"), SETTINGS, NOW)
    assert told(missed_of(found, minute(20), Told())) == [
        ("failure", 20, "orders"),
        ("streak", 20, "orders"),
        ("recovery", 30, "orders"),
        ("resolved", 30, "orders"),
    ]


def test_what_a_sentinel_announced_is_not_told_again() -> None:
    found = judge(runs("F F F S"), SETTINGS, NOW)
    already = Told(ids=frozenset(verdict.id for verdict in found[1:]))
    assert missed_of(found, LONG_AGO, already) == found[:1]


def test_a_failure_or_recovery_that_the_standby_told_is_not_told_again() -> None:
    history = runs("F F S")
    already = firings(firing("warning", 0, history[0]), firing("recovery", 20, history[2]))
    assert still_to_tell(history, already, VerdictKind.FAILURE, VerdictKind.RECOVERY) == [
        ("failure", 10, "orders")
    ]


def test_a_streak_that_the_standby_told_is_not_told_again_but_its_next_multiple_is() -> None:
    history = runs("F F F F F F")
    already = firings(firing("critical-3d", 20.1, history[2]))
    assert still_to_tell(history, already, VerdictKind.STREAK) == [("streak", 50, "orders")]


def test_three_failures_that_were_no_streak_do_not_stand_for_one() -> None:
    # The standby counts F F S F as three; the streak of F F F after that success comes later.
    history = runs("F F S F F F")
    already = firings(firing("critical-3d", 30.1, history[3]))
    assert still_to_tell(history, already, VerdictKind.STREAK) == [("streak", 50, "orders")]


def test_a_firing_of_an_earlier_outage_does_not_stand_for_a_later_one() -> None:
    history = runs("F F F S F F F")
    already = firings(firing("critical-3d", 20.1, history[2]))
    assert still_to_tell(history, already, VerdictKind.STREAK) == [("streak", 60, "orders")]


def test_a_firing_of_a_later_outage_does_not_stand_for_an_earlier_one() -> None:
    history = runs("F F F S F F F")
    already = firings(
        firing("critical-3d", 60.1, history[6]), firing("escalation-15m", 75.1, history[6])
    )
    assert still_to_tell(history, already, VerdictKind.STREAK, VerdictKind.ESCALATION) == [
        ("escalation 15m", 15, "orders"),
        ("streak", 20, "orders"),
        ("escalation 1h", 100, "orders"),
    ]


def test_a_firing_of_one_pipeline_does_not_stand_for_another() -> None:
    history = [*runs("F F F"), *runs("F F F", "other", at=1)]
    already = firings(firing("critical-3d", 20.1, history[2]))
    assert still_to_tell(history, already, VerdictKind.STREAK) == [("streak", 21, "other")]


def test_a_step_that_the_standby_told_is_not_told_again_but_the_next_is() -> None:
    history = runs("F")
    already = firings(firing("escalation-15m", 15.1, history[0]))
    assert still_to_tell(history, already, VerdictKind.ESCALATION) == [
        ("escalation 1h", 60, "orders")
    ]


def test_an_outage_of_all_that_the_standby_told_is_not_told_again() -> None:
    history = [end("F", 0), end("F", 1, "load-clicks", "prod")]
    late = firings(firing("p1-all-down", 1.1, history[1]))
    assert still_to_tell(history, late, VerdictKind.ALL_DOWN) == []
    before = firings(firing("p1-all-down", 0.5, history[0]))
    assert still_to_tell(history, before, VerdictKind.ALL_DOWN) == [("all-down", 1, "load-clicks")]


def test_that_not_all_are_down_any_more_is_no_matter_of_the_standby() -> None:
    history = [end("F", 0), end("F", 1, "load-clicks", "prod"), end("S", 2)]
    already = firings(firing("p1-all-down", 1.1, history[1]), firing("recovery", 2.1, history[2]))
    assert still_to_tell(history, already, VerdictKind.NOT_ALL_DOWN) == [
        ("not-all-down", 2, "orders")
    ]
