"""What `alertctl check` notes of a stack that is sound and will not do what people expect."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from alerting.plan import build_plan
from alerting.plan.coverage import Finding, findings
from alerting.settings import Settings
from alerting.settings.stackfile import read_stack_file
from tests.shared.example_stack import (
    STACK,
    every_kind,
    raw_settings,
    settings_of,
    without_pagerduty,
)

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]


def found_in(settings: Settings, stack: str = STACK) -> list[Finding]:
    return findings(settings, build_plan(settings, stack))


def noted(**changes: object) -> dict[str, str]:
    """The notes on the example with some settings replaced, by key."""
    found = found_in(settings_of(**changes))
    assert len({each.key + each.text for each in found}) == len(found)
    return {each.key: each.text for each in found}


def channels(**changes: dict[str, object]) -> dict[str, Any]:
    """The example's channels, with some keys of each replaced; None takes a key out."""
    found: dict[str, Any] = raw_settings()["channels"]
    for name, change in changes.items():
        changed = {**found.get(name.replace("_", "-"), {}), **change}
        found[name.replace("_", "-")] = {k: v for k, v in changed.items() if v is not None}
    return found


def tiers(**changes: Mapping[str, object]) -> dict[str, Any]:
    found: dict[str, Any] = raw_settings()["tiers"]
    return {**found, **{name: {**found.get(name, {}), **each} for name, each in changes.items()}}


MANAGER: dict[str, object] = {"kind": "pagerduty", "block": "manager", "secret": "other-key"}
SOUND_CHANNELS = channels(manager=MANAGER)
# One stack with nothing to note: each step reaches somebody else.
SOUND: dict[str, object] = {
    "channels": SOUND_CHANNELS,
    "secrets": {
        **raw_settings()["secrets"],
        "other-key": {"name": "prefect/other-key", "from": "env"},
    },
    "escalation": [
        {"after": "15m", "to": "on-call engineer", "notify": ["on-call"]},
        {"after": "1h", "to": "manager", "notify": ["manager"]},
    ],
}


def sound(**changes: object) -> dict[str, str]:
    return noted(**{**SOUND, **changes})


def test_of_a_stack_that_does_what_people_expect_nothing_is_noted() -> None:
    assert sound() == {}


@pytest.mark.parametrize("name", ["prod", "staging", "dev", "sandbox"])
def test_of_this_projects_stacks_nothing_is_noted_but_what_their_owners_know(name: str) -> None:
    path = ROOT / f"Pulumi.{name}.yaml"
    stack_file = read_stack_file(path)
    found = {each.key for each in found_in(stack_file.settings, stack_file.stack)}
    # One PagerDuty service for all steps, as in the guide: its own policy reaches further.
    assert found <= {"escalation.30m", "escalation.1h"}


class TestNobodyIsTold:
    """Pipelines of which nobody would hear."""

    def test_a_pipeline_whose_owners_channel_is_not_set_up(self) -> None:
        changes = {
            "channels": {**SOUND_CHANNELS, "own": {"kind": "pagerduty", "block": "own"}},
            "tiers": tiers(warning={"notify": ["on-call"]}, critical={"notify": ["on-call"]}),
            "owners": {"shop": {"pagerduty": "own"}},
        }
        found = sound(**changes)
        assert "nobody at shop would be told" in found["pipelines.orders"]
        assert "own is not set up, and on-call hears in its place" in found["pipelines.orders"]
        assert "pipelines.clicks" not in found

    def test_not_where_slack_is_told_beside_it(self) -> None:
        changes = {
            "channels": {**SOUND_CHANNELS, "own": {"kind": "pagerduty", "block": "own"}},
            "tiers": tiers(warning={"notify": ["alerts", "on-call"]}),
            "owners": {"shop": {"pagerduty": "own"}},
        }
        assert sound(**changes) == {}

    def test_pipelines_that_are_silenced_nearly_all_the_time(self) -> None:
        window = {"timeZone": "UTC", "reason": "always", "cron": "0 * * * *"}
        found = sound(maintenance=[{**window, "duration": "59m30s", "pipelines": ["orders"]}])
        assert "nobody would be told of it" in found["pipelines.orders"]
        assert set(found) == {"pipelines.orders"}
        assert sound(maintenance=[{**window, "duration": "50m"}]) == {}

    def test_pipelines_that_several_windows_silence_all_the_time(self) -> None:
        window = {"timeZone": "Europe/London", "reason": "always"}
        night = {**window, "cron": "0 20 * * *", "duration": "13h"}
        day = {**window, "cron": "0 8 * * *", "duration": "13h", "pipelines": ["orders"]}
        assert set(sound(maintenance=[night, day])) == {"pipelines.orders"}
        assert sound(maintenance=[night]) == {}
        assert sound(maintenance=[night, {**day, "cron": "0 10 * * *"}]) == {}

    def test_windows_that_leave_a_weekend_free_are_no_such(self) -> None:
        window = {"timeZone": "UTC", "reason": "week", "cron": "0 0 * * 1", "duration": "120h"}
        assert sound(maintenance=[window]) == {}


class TestNeverFires:
    """Tiers that cannot fire."""

    def test_p1_of_a_single_pipeline(self) -> None:
        one = {"orders": {"owner": "shop", "escalate": True}}
        assert "list two of them" in sound(pipelines=one)["tiers.p1"]
        assert "tiers.p1" not in sound(pipelines=one, tiers={"warning": {"notify": ["alerts"]}})

    def test_an_escalation_for_which_no_pipeline_asks(self) -> None:
        names = {name: {"owner": "web"} for name in ("a", "b")}
        assert "no pipeline has escalate: true" in sound(pipelines=names)["escalation"]

    @pytest.mark.parametrize(
        ("tier", "pipeline"),
        [
            ("freshness", {"freshWithin": "26h"}),
            ("freshness", {"deadline": "06:00 Europe/London"}),
            ("anomaly", {"rows": {"min": 1}}),
            ("success", {"announceSuccess": True}),
        ],
    )
    def test_a_tier_of_which_no_pipeline_expects_anything(
        self, tier: str, pipeline: dict[str, object]
    ) -> None:
        changed = tiers(**{tier: {"notify": ["alerts"]}})
        assert "never fires" in sound(tiers=changed)[f"tiers.{tier}"]
        expecting = raw_settings()["pipelines"]
        expecting["orders"] |= pipeline
        assert f"tiers.{tier}" not in sound(tiers=changed, pipelines=expecting)

    def test_a_recovery_that_is_never_told_since_the_pipeline_runs_too_often(self) -> None:
        found = sound(noise={"flapFor": "1h"})
        assert set(found) == {"pipelines.clicks.every"}
        assert sound(noise={"flapFor": "59m"}) == {}


class TestToldTwice:
    """Two rules that page for one event."""

    def test_a_plain_pagerduty_that_both_warning_and_critical_page(self) -> None:
        changes = {
            "channels": channels(on_call={"incidents": "plain"}, manager=MANAGER),
            "tiers": tiers(warning={"notify": ["alerts", "on-call"]}),
        }
        found = found_in(settings_of(**{**SOUND, **changes}))
        assert any("that is two incidents" in each.text for each in found)

    def test_not_where_incidents_are_deduplicated(self) -> None:
        assert sound(tiers=tiers(warning={"notify": ["alerts", "on-call"]})) == {}

    def test_two_channels_that_are_one_place(self) -> None:
        changed = {**SOUND_CHANNELS, "again": channels()["alerts"] | {"block": "again"}}
        found = sound(channels=changed, tiers=tiers(warning={"notify": ["alerts", "again"]}))
        assert "alerts and again, which are one place" in found["warning"]


class TestNeverResolved:
    """Pages that nothing closes."""

    def test_plain_incidents_of_critical_p1_and_escalation(self) -> None:
        changes = {
            "channels": channels(on_call={"incidents": "plain"}, manager=MANAGER),
        }
        found = sound(**changes)
        assert set(found) == {"critical", "p1-all-down", "escalation-15m"}
        assert all("no recovery resolves it" in text for text in found.values())

    def test_not_where_slack_alone_hears(self) -> None:
        quiet = {"critical": {"notify": ["critical"]}, "p1": {"notify": ["critical"]}}
        found = sound(
            channels=channels(on_call={"incidents": "plain"}, manager=MANAGER),
            tiers=tiers(**quiet),
            escalation=[{"after": "15m", "to": "lead", "notify": ["critical"]}],
            environment="staging",
        )
        assert found == {}

    def test_a_page_for_a_run_that_is_late_which_no_trigger_closes(self) -> None:
        late = tiers(late={"notify": ["on-call"]})
        assert "nothing resolves it" in sound(tiers=late, evaluation="triggers")["late"]
        assert sound(tiers=late) == {}


class TestWakesNobody:
    """Steps on a channel that has the incident already."""

    def test_a_second_step_on_the_same_channel(self) -> None:
        [(key, text)] = noted().items()
        assert key == "escalation.1h"
        assert "wakes nobody again" in text
        assert "the step of 15m opened on on-call" in text
        assert "must reach the manager" in text

    def test_not_where_each_page_is_an_incident_of_its_own(self) -> None:
        found = noted(channels=channels(on_call={"incidents": "plain"}))
        assert "escalation.1h" not in found

    def test_not_where_a_step_goes_to_slack(self) -> None:
        steps = [
            {"after": "15m", "to": "team", "notify": ["critical"]},
            {"after": "1h", "to": "team", "notify": ["critical"]},
        ]
        assert noted(escalation=steps, environment="staging") == {}


class TestStopped:
    """Production for which the policy of pages is not met."""

    STOPPED = "the policy paging-rules-stay stops the deployment in CI"

    def test_production_whose_pagerduty_is_not_set_up(self) -> None:
        [(key, text)] = sound(
            channels=without_pagerduty(),
            escalation=[{"after": "15m", "to": "on-call engineer", "notify": ["on-call"]}],
        ).items()
        assert key == "environment"
        wakes_for = "critical, p1-work-pool, p1-all-down, sentinel-silent, escalation-15m"
        assert f"nobody is paged for {wakes_for}: {self.STOPPED}" in text
        assert "a PagerDuty channel that has its secret" in text

    def test_production_where_only_one_tier_wakes_nobody(self) -> None:
        quiet = sound(tiers=tiers(critical={"notify": ["critical"]}))
        assert f"nobody is paged for critical: {self.STOPPED}" in quiet["environment"]

    def test_production_where_triggers_judge(self) -> None:
        found = noted(channels=without_pagerduty(), evaluation="triggers")
        wakes_for = "critical, p1-work-pool, p1-all-down, escalation"
        assert f"nobody is paged for {wakes_for}: {self.STOPPED}" in found["environment"]

    @pytest.mark.parametrize("stack", ["staging", "dev", "sandbox"])
    def test_not_where_the_stack_is_not_production(self, stack: str) -> None:
        settings = settings_of(channels=without_pagerduty())
        assert not any(each.key == "environment" for each in found_in(settings, stack))

    def test_a_stack_by_any_other_name_is_production_until_it_says_what_it_is(self) -> None:
        assert "environment" in noted(channels=without_pagerduty())
        assert "environment" not in noted(channels=without_pagerduty(), environment="dev")


def test_triggers_may_judge_as_well() -> None:
    assert sound(evaluation="triggers") == {}
    assert set(noted(evaluation="triggers")) == {"escalation.1h"}


def test_of_every_kind_and_tier_only_what_is_so_is_noted() -> None:
    found = {each.key for each in found_in(settings_of(**every_kind()))}
    assert {"tiers.critical", "critical", "p1-all-down", "escalation-15m"} <= found
    assert not any(key.startswith(("pipelines", "maintenance", "tiers.p1")) for key in found)
