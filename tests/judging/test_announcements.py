"""The sentinel's events: what they tell, and what they never tell."""

import json
from typing import Any
from uuid import UUID

import pytest

from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.events import (
    announced_runs,
    announcement,
    ended_run,
    heartbeat,
    parent_task_run,
)
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import judge
from tests.shared.example_stack import published_of
from tests.shared.histories import START, end, minute, runs

pytestmark = pytest.mark.judging

SETTINGS = published_of()
RUN_ID = UUID("5e1f0000-0000-4000-8000-000000000001")
STATE_ID = UUID("5e1f0000-0000-4000-8000-000000000002")
NOW = minute(100)


def flow_run_event(**labels: str) -> dict[str, Any]:
    """The event of a run that failed, some of its labels replaced."""
    return {
        "id": str(STATE_ID),
        "occurred": minute(1).isoformat(),
        "event": "prefect.flow-run.Failed",
        "resource": {
            "prefect.resource.id": f"prefect.flow-run.{RUN_ID}",
            "prefect.resource.name": "brave-otter",
            "prefect.state-type": "FAILED",
            "prefect.state-name": "TimedOut",
            "prefect.state-message": "took too long",
            "prefect.state-timestamp": START.isoformat(),
            **labels,
        },
        "related": [
            {
                "prefect.resource.id": "prefect.flow.1",
                "prefect.resource.role": "flow",
                "prefect.resource.name": "orders",
            },
            {
                "prefect.resource.id": "prefect.deployment.2",
                "prefect.resource.role": "deployment",
                "prefect.resource.name": "prod",
            },
            {"prefect.resource.id": "prefect.tag.dlt", "prefect.resource.role": "tag"},
        ],
        "payload": {},
    }


def announced(kind: VerdictKind, *history: Ended) -> dict[str, Any]:
    """The announcement of the first verdict of a kind about a history."""
    verdict = next(v for v in judge(history, SETTINGS, NOW) if v.kind is kind)
    return dict(announcement(verdict, SETTINGS, NOW))


def test_the_end_of_a_run_is_read_from_its_event() -> None:
    assert ended_run(flow_run_event(), "dlt") == Ended(
        at=START,
        state_id=STATE_ID,
        run_id=RUN_ID,
        run="brave-otter",
        flow="orders",
        failed=True,
        deployment="prod",
        state="TimedOut",
        message="took too long",
    )


@pytest.mark.parametrize(
    ("state_type", "failed"),
    [
        ("FAILED", True),
        ("CRASHED", True),
        ("COMPLETED", False),
        ("CANCELLED", None),
        ("CANCELLING", None),
        ("RUNNING", None),
        ("SCHEDULED", None),
        ("PAUSED", None),
    ],
)
def test_a_run_counts_once_it_failed_or_succeeded(state_type: str, failed: bool | None) -> None:
    ended = ended_run(flow_run_event(**{"prefect.state-type": state_type}), "dlt")
    assert (ended.failed if ended else None) is failed


def test_runs_without_the_tag_and_other_events_do_not_count() -> None:
    assert ended_run(flow_run_event(), "etl") is None
    for other in ("prefect.task-run.1", "prefect.flow-run.by-hand"):
        assert ended_run(flow_run_event(**{"prefect.resource.id": other}), "dlt") is None
    assert ended_run(announced(VerdictKind.FAILURE, end("F", 0)), "dlt") is None
    assert ended_run(heartbeat(SETTINGS, STATE_ID, NOW, standby=False), "dlt") is None


def test_without_a_timestamp_the_state_was_entered_when_its_event_occurred() -> None:
    event = flow_run_event(**{"prefect.state-timestamp": ""})
    ended = ended_run(event, "dlt")
    assert ended is not None
    assert ended.at == minute(1)


def test_a_subflow_is_known_by_the_task_run_that_it_is_in_its_parent() -> None:
    event = flow_run_event()
    assert parent_task_run(event) is None
    event["related"].append(
        {"prefect.resource.id": f"prefect.task-run.{RUN_ID}", "prefect.resource.role": "task-run"}
    )
    assert parent_task_run(event) == RUN_ID


def test_an_announcement_has_the_verdicts_id_and_the_labels_that_automations_match() -> None:
    verdict = next(v for v in judge(runs("F F F"), SETTINGS, NOW) if v.kind is VerdictKind.STREAK)
    event = announcement(verdict, SETTINGS, NOW)
    assert event["id"] == str(verdict.id)
    assert event["event"] == "data-alerts.streak"
    assert event["occurred"] == NOW.isoformat()
    assert event["resource"] == {
        "prefect.resource.id": "data-alerts.pipeline.example.orders",
        "prefect.resource.name": "orders",
        "data-alerts.scope": "example",
        "data-alerts.route": "default",
        "data-alerts.together": "no",
    }
    [run] = event["related"]
    assert run["prefect.resource.id"] == f"prefect.flow-run.{verdict.ended.run_id}"


def test_an_escalation_says_which_step_is_due() -> None:
    assert announced(VerdictKind.ESCALATION, *runs("F"))["resource"]["data-alerts.step"] == "15m"


def test_an_announced_run_is_read_back_as_it_was() -> None:
    failure = end("F", 0, "load-clicks", "prod")
    assert list(announced_runs(announced(VerdictKind.FAILURE, failure))) == [failure]


def test_what_is_about_no_runs_end_brings_none_back() -> None:
    history = [end("F", 0), end("F", 1, "load-clicks", "prod"), end("S", 30)]
    of_an_incident = announced(VerdictKind.RESOLVED, *history)
    assert of_an_incident["payload"]["state_id"] == str(history[2].state_id)
    assert list(announced_runs(of_an_incident)) == []
    assert list(announced_runs(heartbeat(SETTINGS, STATE_ID, NOW, standby=False))) == []


def test_announcements_are_what_json_can_carry() -> None:
    history = [*runs("F F F S"), end("F", 21, "load-clicks", "prod")]
    for verdict in judge(history, SETTINGS, NOW):
        event = announcement(verdict, SETTINGS, NOW)
        assert json.loads(json.dumps(event)) == event


SECRETS = {
    "https://hooks.slack.com/services/T0FAKE/B0FAKE/s3cr3t0fake": "s3cr3t0fake",
    "postgresql://loader:hunter2fake@db.example.com/shop": "hunter2fake",
    "password=hunter2fake": "hunter2fake",
    '{"api_key": "pnu_abcdefgh12345678"}': "pnu_abcdefgh12345678",
    "Authorization: Bearer abcdef123456789": "abcdef123456789",
}


@pytest.mark.parametrize(("error", "secret"), SECRETS.items(), ids=list(SECRETS))
@pytest.mark.parametrize("padding", [0, 350, 390])
def test_secrets_in_errors_are_announced_by_no_verdict(
    error: str, secret: str, padding: int
) -> None:
    message = f"{'x' * padding} {error} and then some"
    history = [
        *(end("F", number, message=message) for number in range(3)),
        end("F", 4, "load-clicks", "prod", message=message),
    ]
    events = [announcement(verdict, SETTINGS, NOW) for verdict in judge(history, SETTINGS, NOW)]
    assert {event["event"] for event in events} == {
        "data-alerts.failure",
        "data-alerts.streak",
        "data-alerts.all-down",
        "data-alerts.escalation",
    }
    assert secret not in json.dumps(events)


def test_a_heartbeat_says_whether_the_standby_is_resumed_and_which_settings_are_followed() -> None:
    for standby, label in ((True, "resumed"), (False, "paused")):
        assert heartbeat(SETTINGS, STATE_ID, NOW, standby=standby) == {
            "id": str(STATE_ID),
            "occurred": NOW.isoformat(),
            "event": "data-alerts.heartbeat",
            "resource": {
                "prefect.resource.id": "data-alerts.sentinel.example",
                "prefect.resource.name": "DLT Sentinel",
                "data-alerts.scope": "example",
                "data-alerts.standby": label,
                "data-alerts.settings": SETTINGS.digest,
            },
            "related": [],
            "payload": {"judged_until": NOW.isoformat()},
        }


def test_a_heartbeat_while_catching_up_says_how_far_was_judged() -> None:
    event = heartbeat(SETTINGS, STATE_ID, NOW, standby=False, judged_until=START)
    assert event["payload"] == {"judged_until": START.isoformat()}


def test_where_triggers_judge_there_is_nothing_to_announce() -> None:
    with pytest.raises(ValueError, match="set data-alerts:evaluation: sentinel"):
        heartbeat(published_of(evaluation="triggers"), STATE_ID, NOW, standby=False)


def test_an_end_is_announced_at_the_time_of_announcing() -> None:
    # Prefect takes old events for a clock that is behind.
    event = announced(VerdictKind.FAILURE, end("F", 0))
    assert event["occurred"] == NOW.isoformat()
    assert event["payload"]["at"] == START.isoformat()
