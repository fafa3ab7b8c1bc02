"""What `alertctl explain` finds, by the stack files of this project."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from alerting.ctl.__main__ import app

pytestmark = pytest.mark.scenarios

ROOT = Path(__file__).resolve().parents[2]
PROD = ROOT / "Pulumi.prod.yaml"


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.fixture
def triggers(tmp_path: Path) -> Path:
    """Production, judged by triggers."""
    file = tmp_path / "Pulumi.native.yaml"
    text = PROD.read_text().replace("config:\n", "config:\n  data-alerts:evaluation: triggers\n", 1)
    file.write_text(text)
    return file


def _run(*arguments: str, file: Path = PROD, flow: str = "products-daily") -> Result:
    return CliRunner().invoke(app, ["explain", "--file", str(file), "--flow", flow, *arguments])


def _found(*arguments: str, file: Path = PROD, flow: str = "products-daily") -> dict[str, Any]:
    result = _run(*arguments, "--json", file=file, flow=flow)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def _why(found: dict[str, Any]) -> dict[str, str]:
    return {rule["rule"]: rule["why"] for rule in found["rules"]}


def test_a_failure_tells_slack_through_the_sentinels_verdict() -> None:
    found = _found("--state", "Failed", "--message", "connection refused")
    [told] = found["told"]
    assert (told["event"], told["verdict"]) == ("prefect.flow-run.Failed", "data-alerts.failure")
    assert (told["rule"], told["channels"]) == ("warning", ["data-alerts"])
    [message] = told["messages"]
    assert message["subject"] == ":x: Pipeline failed: products-daily"
    assert "*Error*: connection refused" in message["body"]
    assert found["channels"] == ["data-alerts"]


def test_the_third_failure_in_a_row_tells_of_a_streak() -> None:
    found = _found("--state", "Crashed", "--times", "3")
    assert [(told["at"], told["rule"]) for told in found["told"]] == [
        ("0s", "warning"),
        ("1m", "warning"),
        ("2m", "critical"),
        ("2m", "warning"),
    ]
    assert found["channels"] == ["data-alerts", "data-alerts-critical", "on-call"]


def test_what_escalates_if_nothing_changes_is_told_with_its_time() -> None:
    found = _found("--state", "Failed", "--times", "2")
    assert [(told["at"], told["rule"], told["channels"]) for told in found["later"]] == [
        ("15m", "escalation-15m", ["on-call"]),
        ("30m", "escalation-30m", ["on-call"]),
        ("1h", "escalation-1h", ["on-call"]),
    ]
    assert _why(found)["escalation-15m"].endswith("acts at 15m if nothing changes")


def test_a_rule_that_misses_says_what_the_sentinel_lacks() -> None:
    why = _why(_found("--state", "Failed", flow="nobody-listed-this"))
    event = "event is prefect.flow-run.Failed, wanted data-alerts"
    assert why["critical"] == f"{event}.streak; counts 1 of 3 consecutive failures"
    assert why["escalation-15m"] == (
        f"{event}.escalation; nobody-listed-this is not a listed pipeline"
    )
    assert why["recovery"] == (
        f"{event}.fresh or data-alerts.recovery; prefect.state-type is FAILED, wanted COMPLETED"
    )
    assert why["late"] == (
        f"{event}.late or data-alerts.stuck; it takes a run that does not start or end in time"
    )
    for key, verdict in (("resolved", "resolved"), ("p1-resolved", "not-all-down")):
        assert why[key] == f"{event}.{verdict}; prefect.state-type is FAILED, wanted COMPLETED"
    assert why["silence-over"] == f"{event}.silence-over; it takes a silence that ends"
    assert why["standby-late"].endswith("wanted prefect.flow-run.Late")


def test_a_pipeline_that_does_not_escalate_is_said_to() -> None:
    found = _found("--state", "Failed", "--deployment", "prod", flow="load-clicks")
    assert found["pipeline"] == "clicks-hourly"
    assert found["later"] == []
    assert _why(found)["escalation-1h"].endswith("pipeline clicks-hourly does not escalate")


@pytest.mark.parametrize("state", ["Completed", "Cancelled", "AwaitingRetry", "Running"])
def test_what_is_no_failure_tells_nobody(state: str) -> None:
    found = _found("--state", state, "--deployment", "prod", flow="load-clicks")
    assert found["told"] == found["later"] == found["channels"] == []
    assert "wanted FAILED or CRASHED" in _why(found)["warning"]


def test_a_completion_that_is_announced_tells_those_who_asked_for_it_alone() -> None:
    [told] = _found("--state", "Completed")["told"]
    assert (told["rule"], told["verdict"]) == ("success", "data-alerts.success")
    assert told["channels"] == ["data-info"]


def test_a_success_is_no_recovery_when_nothing_had_failed() -> None:
    why = _why(_found("--state", "Completed", "--deployment", "prod", flow="load-clicks"))
    assert why["recovery"].endswith("nothing had failed before")
    assert why["resolved"].endswith("nobody was paged before")
    assert why["p1-resolved"].endswith("not all pipelines were down before")
    assert why["success"].endswith("the pipeline does not announce its completions")


def test_a_late_run_is_told_by_a_verdict_and_by_native_triggers_without(triggers: Path) -> None:
    [told] = _found("--state", "Late")["told"]
    assert (told["rule"], told["verdict"]) == ("late", "data-alerts.late")
    [told] = _found("--state", "Late", file=triggers)["told"]
    assert (told["rule"], told["verdict"]) == ("late", None)


def test_standby_rules_are_said_to_stand_by_and_what_they_would_do() -> None:
    why = _why(_found("--state", "Failed"))
    standing_by = "paused: stands by for a silent sentinel"
    assert why["standby-warning"] == f"{standing_by}; would act"
    assert why["standby-critical-3d"] == f"{standing_by}; counts 1 of 3 in 3d"
    assert why["standby-critical"] == (
        f"{standing_by}; flow's prefect.resource.name is products-daily, wanted not products-daily"
    )


def test_triggers_act_on_the_event_itself_and_count(triggers: Path) -> None:
    found = _found("--state", "Failed", "--times", "2", file=triggers)
    assert [told["verdict"] for told in found["told"]] == [None, None]
    why = _why(found)
    assert why["warning"] == "the event itself, 2 times"
    assert why["critical-3d"] == "counts 2 of 3 in 3d"
    assert why["recovery"] == "armed, waits for prefect.flow-run.Completed"
    assert why["p1-all-down"] == (
        "counts 1 of 3 pipelines in 24h, wanted exchange-rates-daily and load-clicks too"
    )
    # A further failure puts a native escalation off.
    assert [told["at"] for told in found["later"]] == ["16m", "31m", "1h1m"]


def test_a_success_names_the_label_that_differs(triggers: Path) -> None:
    why = _why(_found("--state", "Completed", file=triggers))
    assert why["warning"] == "prefect.state-type is COMPLETED, wanted FAILED or CRASHED"
    assert why["recovery"].startswith("nothing before it was prefect.flow-run.Crashed, ")


def test_a_related_resource_that_is_not_there_is_named(triggers: Path) -> None:
    why = _why(_found("--state", "Failed", file=triggers, flow="load-clicks"))
    assert why["p1-all-down"] == ("has no deployment, wanted one with prefect.resource.name prod")


def test_verifying_the_channels_that_are_told_succeeds_in_any_order() -> None:
    options = ("--state", "Failed", "--times", "3", "--verify")
    assert _run(*options, "on-call, data-alerts-critical,data-alerts").exit_code == 0


def test_verifying_says_who_is_missing_and_who_is_told_besides() -> None:
    result = _run("--state", "Failed", "--verify", "data-info,on-call")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == (
        "--verify: not told: data-info, on-call (only at 15m, if nothing changes); "
        "told besides: data-alerts"
    )


def test_that_nobody_is_told_can_be_verified() -> None:
    completed = ("--state", "Completed", "--verify", "")
    assert _run(*completed, "--deployment", "prod", flow="load-clicks").exit_code == 0
    assert _run(*completed).exit_code == 1
    assert _run("--state", "Failed", "--verify", "").exit_code == 1


def test_people_read_the_chain_from_event_to_text() -> None:
    lines = _run("--state", "Failed").stdout.splitlines()
    assert (
        "  0s  prefect.flow-run.Failed -> data-alerts.failure -> DLT Pipeline Failure Alert "
        "-> data-alerts"
    ) in lines
    assert "      data-alerts: :x: Pipeline failed: products-daily" in lines
    assert "told: data-alerts" in lines
    assert "if nothing changes:" in lines


def test_a_pipelines_key_that_is_no_flow_leads_to_its_flow() -> None:
    lines = _run("--state", "Failed", flow="clicks-hourly").stdout.splitlines()
    assert "  for pipeline clicks-hourly ask: --flow load-clicks --deployment prod" in lines


def test_encrypted_values_stay_unread(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.locked.yaml"
    locked = "{name: prefect/slack-webhook-url, value: {secure: v1:unreadable}}"
    text = PROD.read_text().replace("{name: prefect/slack-webhook-url, from: env}", locked)
    file.write_text(text)
    assert locked in text
    assert _found("--state", "Failed", file=file)["channels"] == ["data-alerts"]
