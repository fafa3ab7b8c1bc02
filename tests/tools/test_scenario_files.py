"""Scenario files: what they may say, and the one clear error of each mistake."""

from datetime import timedelta
from pathlib import Path

import pytest

from alerting.plan import Tier, build_plan
from alerting.scenarios.files import scenario_files
from alerting.scenarios.parsing import read_scenarios
from alerting.scenarios.stacks import Stacks
from alerting.scenarios.timeline import RestartStep, RunStep, Scenario, SentinelStep
from alerting.settings import SettingsError
from alerting.settings.stackfile import read_stack_file, stack_files
from tests.shared.scenario_files import ISSUE, scenario, written

pytestmark = pytest.mark.tools

ROOT = Path(__file__).resolve().parents[2]
FAILED = "{at: 0m, flow: a, state: Failed}"


def errors(folder: Path, text: str) -> list[str]:
    """What is wrong with a file, without the file's name."""
    file = written(folder, text)
    with pytest.raises(SettingsError) as caught:
        read_scenarios(file)
    return [line.removeprefix(str(file)) for line in caught.value.lines()]


def in_timeline(folder: Path, *entries: str) -> list[str]:
    lines = "".join(f"  - {entry}\n" for entry in entries)
    return errors(folder, f"name: wrong\ntimeline:\n{lines}expect: []\n")


def in_expect(folder: Path, entry: str) -> list[str]:
    return errors(folder, f"name: wrong\ntimeline: [{FAILED}]\nexpect:\n  - {entry}\n")


def test_a_file_may_hold_several_scenarios(tmp_path: Path) -> None:
    file = written(tmp_path, f"{ISSUE}---\n{ISSUE.replace('a success', 'another')}")
    assert [each.name for each in read_scenarios(file)] == [
        "a success in between resets the streak",
        "another in between resets the streak",
    ]
    assert [each.line for each in read_scenarios(file)] == [1, 19]


def test_times_are_since_the_start(tmp_path: Path) -> None:
    entries = "{at: 0m, until: true}, {at: 90s, until: true}, {at: 1h30m, until: true}"
    times = [step.at.total_seconds() for step in scenario(tmp_path, entries).timeline]
    assert times == [0, 90, 5_400]


def test_a_run_may_say_all_that_its_events_say(tmp_path: Path) -> None:
    entry = (
        "{at: 0m, flow: a, state: Rows missing, type: FAILED, message: m, run: r, deployment: d, "
        "tags: [x], labels: {l: v}, payload: {p: [1, {q: null}]}}"
    )
    (step,) = scenario(tmp_path, entry).timeline
    assert step == RunStep(
        at=timedelta(0),
        flow="a",
        state="Rows missing",
        type="FAILED",
        message="m",
        run="r",
        deployment="d",
        tags=("x",),
        labels={"l": "v"},
        payload={"p": [1, {"q": None}]},
    )


def test_a_server_restarts_and_a_sentinel_goes_and_comes(tmp_path: Path) -> None:
    steps = "{at: 0m, restart: 70s}, {at: 2m, sentinel: down}, {at: 3m, sentinel: up}"
    found = scenario(tmp_path, steps)
    assert found.is_watched
    assert found.timeline == (
        RestartStep(at=timedelta(0), restart=timedelta(seconds=70)),
        SentinelStep(at=timedelta(minutes=2), sentinel="down"),
        SentinelStep(at=timedelta(minutes=3), sentinel="up"),
    )


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        ("{flow: a, state: Failed}", "timeline[0].at: is missing. Add it: time since the start"),
        ("{at: 10, flow: a, state: Failed}", "timeline[0].at: expected a time since the start"),
        ("{at: 0m, flow: a}", "timeline[0].state: is missing. Add it: the state's name"),
        ("{at: 0m, flow: a, state: Faild}", "is not a state of Prefect's. Did you mean Failed?"),
        ("{at: 0m, flow: a, state: X, type: BAD}", "timeline[0].type: expected 'SCHEDULED'"),
        ("{at: 0m, flow: a, state: Failed, stat: X}", "is not a key here. Did you mean state?"),
        ("{at: 0m, flow: '', state: Failed}", "timeline[0].flow: is blank. Expected a name"),
        ("{at: 0m, flow: 3, state: Failed}", "timeline[0].flow: expected text: the flow's name"),
        ("{at: 0m, flow: a, state: Failed, tags: x}", "timeline[0].tags: expected a list"),
        ("{at: 0m, flow: a, state: Failed, labels: {x: 3}}", "timeline[0].labels.x: expected text"),
        ("{at: 0m, flow: a, state: Failed, parent: p}", "is the name of no other run. There is"),
        ("{at: 0m}", "timeline[0]: says nothing. Expected one of event, flow, load, restart, "),
        ("{at: 0m, restart: 1m, until: true}", "timeline[0]: says restart and until. Expected one"),
        ("{at: 0m, flow: a, until: true}", "timeline[0].flow: is not a key here. Expected one of"),
        ("{at: 0m, restart: 0s}", "timeline[0].restart: expected a duration above zero"),
        ("{at: 0m, sentinel: dwn}", "timeline[0].sentinel: expected 'down' or 'up'"),
        ("{at: 0m, sentinel: up}", "timeline[0].sentinel: is up already. Remove the entry"),
        ("{at: 0m, until: false}", "timeline[0].until: expected True"),
        ("just text", "timeline[0]: expected keys and values (a YAML mapping), such as {at: 0m"),
    ],
)
def test_a_mistake_in_the_timeline_is_one_error(tmp_path: Path, entry: str, error: str) -> None:
    (found,) = in_timeline(tmp_path, entry)
    assert found.startswith(":3: ")
    assert error in found


@pytest.mark.parametrize(
    ("entries", "error"),
    [
        (("{at: 2m, until: true}", "{at: 1m, until: true}"), "timeline[1].at: is earlier than"),
        (
            ("{at: 0m, flow: a, state: Failed, run: r}", "{at: 1m, flow: b, state: Late, run: r}"),
            "timeline[1].run: is a run of a above. Give this one another name",
        ),
        (("{at: 1m, restart: 5m}", "{at: 3m, restart: 1m}"), "the server is still away then"),
        (("{at: 1m, sentinel: down}", "{at: 3m, sentinel: down}"), "is down already"),
    ],
)
def test_entries_that_contradict_each_other_are_one_error(
    tmp_path: Path, entries: tuple[str, ...], error: str
) -> None:
    (found,) = in_timeline(tmp_path, *entries)
    assert found.startswith(":4: ")
    assert error in found


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        ("{at: 0m, tier: warnin, to: [x]}", "expect[0].tier: is not a tier. Expected one of war"),
        ("{at: 0m, tier: warning, to: []}", "expect[0].to: is empty. Name at least one channel"),
        ("{at: 0m, tier: warning, to: x}", "expect[0].to: expected a list (- or [] in YAML)"),
        ("{at: 0m, tier: warning}", "expect[0].to: is missing. Add it: every channel"),
        ("{at: x, tier: warning, to: [x]}", "expect[0].at: expected a time since the start"),
        ("{at: 0m, tier: warning, to: [x], contain: [y]}", "Did you mean contains?"),
    ],
)
def test_a_mistake_in_what_is_expected_is_one_error(tmp_path: Path, entry: str, error: str) -> None:
    (found,) = in_expect(tmp_path, entry)
    assert found.startswith(":4: ")
    assert error in found


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", ":1: scenario: holds no scenario. Add one"),
        ("- a\n", ":1: scenario: expected keys and values (a YAML mapping)"),
        ("name: [\n", ": YAML: is not valid here. Check indentation, quotes, brackets"),
        ("name: a\nname: b\n", ":2: YAML: is not valid here"),
        ("x: &a [*a]\n", ": YAML: is not valid here"),
        (f"timeline: [{FAILED}]\nexpect: []\n", ":1: name: is missing. Add it: what the scenario"),
        ("name: a\nexpect: []\n", ":1: timeline: is missing. Add a list of what happens"),
        ("name: a\ntimeline: []\nexpect: []\n", ":2: timeline: is missing. Add a list"),
        (f"name: a\ntimeline: [{FAILED}]\n", ":1: expect: is missing. Add a list of who is told"),
        (f"name: a\nlive: 1\ntimeline: [{FAILED}]\nexpect: []\n", ":2: live: expected true or f"),
        (f"name: a\nstak: b\ntimeline: [{FAILED}]\nexpect: []\n", ":2: stak: is not a key here."),
        (
            f"name: a\nstack: b\nfile: c\ntimeline: [{FAILED}]\nexpect: []\n",
            ":3: file: stack is given as well. Keep one of them",
        ),
        (
            "name: a\nlive: true\ntimeline:\n- {at: 0m, restart: 5s}\nexpect: []\n",
            ":4: timeline[0]: cannot be played on a live server. Remove it, or live: true",
        ),
    ],
)
def test_a_mistake_in_a_scenario_is_one_error(tmp_path: Path, text: str, error: str) -> None:
    found = [line for line in errors(tmp_path, text) if error in line]
    assert len(found) == 1


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    bad = "name: a\ntimeline:\n- {at: x, until: true}\n- {at: 0m, flow: a, state: Faild}\nexpect: 3"
    lines = [int(line.split(":")[1]) for line in errors(tmp_path, f"{bad}\n---\n{bad}\n")]
    assert lines == [3, 4, 5, 9, 10, 11]


def test_a_file_that_is_not_there_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        read_scenarios(tmp_path / "none.yaml")


def planned(found: Scenario, **chosen: object) -> str:
    with pytest.raises(SettingsError) as caught:
        Stacks(**chosen).plan_of(found)  # type: ignore[arg-type]
    return str(caught.value).removeprefix(str(found.path))


def test_a_scenario_needs_a_stack(tmp_path: Path) -> None:
    found = scenario(tmp_path, FAILED)
    assert planned(found).startswith(":1: stack: is missing. Add it, or name one with --stack")


@pytest.mark.parametrize("key", ["stack", "file"])
def test_a_stack_that_is_not_there_is_one_error(tmp_path: Path, key: str) -> None:
    found = scenario(tmp_path, FAILED, heading=f"{key}: nowhere\n")
    assert planned(found).startswith(f":2: {key}: there is no ")


def test_a_channel_that_the_stack_does_not_tell_is_one_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    expect = "[{at: 0m, tier: warning, to: [on-call]}]"
    assert planned(scenario(tmp_path, FAILED, expect), stack="dev") == (
        ":3: expect[0].to: on-call is no channel that stack dev tells. "
        "Expected some of data-alerts, data-alerts-critical, data-info"
    )


def test_a_stack_that_triggers_judge_has_no_sentinel_to_stop(tmp_path: Path) -> None:
    found = scenario(tmp_path, "{at: 0m, sentinel: down}")
    file = ROOT / "scenarios" / "stacks" / "Pulumi.triggers.yaml"
    assert ":2: timeline[0].sentinel: stack triggers has none" in planned(found, file=file)


def test_a_scenarios_stack_goes_over_the_one_that_is_chosen_and_a_file_over_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    of_none, of_dev = scenario(tmp_path, FAILED), scenario(tmp_path, FAILED, heading="stack: dev\n")
    chosen = Stacks("staging")
    assert [chosen.plan_of(each).stack for each in (of_none, of_dev)] == ["staging", "dev"]
    replaced = Stacks(file=ROOT / "Pulumi.prod.yaml")
    assert [replaced.plan_of(each).stack for each in (of_none, of_dev)] == ["prod", "prod"]


def shipped() -> list[Scenario]:
    return [s for file in scenario_files([ROOT / "scenarios"]) for s in read_scenarios(file)]


def test_every_tier_of_every_stack_file_has_a_scenario() -> None:
    expected = {
        (each.heading.stack, expected.tier) for each in shipped() for expected in each.expect
    }
    for file in stack_files(ROOT):
        found = read_stack_file(file)
        plan = build_plan(found.settings, found.stack)
        tiers: set[Tier] = {rule.tier for rule in plan.automations}
        assert tiers == {tier for stack, tier in expected if stack == found.stack}


def test_enough_scenarios_are_played_on_a_live_server_too() -> None:
    scenarios = shipped()
    assert len(scenarios) >= 100
    assert sum(each.heading.live for each in scenarios) >= 20
