"""The standby through the real engine: paused, resumed, and deployed over."""

from collections.abc import Iterator
from typing import Any

import pytest
from pulumi.automation import OpType

from sandbox.services import start_sentinel
from sandbox.soak.sentinel import end_sentinels
from sandbox.stack import SandboxStack
from sandbox.state import SandboxState
from tests.e2e.in_services import automations, prefect

pytestmark = pytest.mark.e2e

BACK = "DLT Sentinel Back"
"""What starts the watch by being deployed."""


@pytest.fixture
def without_sentinel(sandbox: SandboxState) -> Iterator[None]:
    """The sandbox with its sentinel killed: it would have the standby paused again."""
    end_sentinels(sandbox.folder)
    yield
    start_sentinel(sandbox.folder, sandbox.prefect_api_url)


def test_a_changed_pipeline_changes_no_automation_that_acts_on_verdicts(
    sandbox: SandboxState, stack: SandboxStack
) -> None:
    stack.up()
    before = {a["name"]: a["updated"] for a in automations(sandbox)}
    SandboxStack(sandbox, configure=_another_owner).up()
    after = {a["name"]: a["updated"] for a in automations(sandbox)}
    changed = {name for name, updated in after.items() if updated != before[name]}
    standby = {rule.name for rule in stack.plan.automations if rule.standby}
    assert changed == {*standby, BACK}


def test_the_standby_is_deployed_paused(sandbox: SandboxState, stack: SandboxStack) -> None:
    stack.up()
    assert _paused(sandbox) == {rule.name for rule in stack.plan.automations if rule.standby}


@pytest.mark.usefixtures("without_sentinel")
def test_a_standby_that_was_resumed_is_no_drift(sandbox: SandboxState, stack: SandboxStack) -> None:
    stack.up()
    _resume_all(sandbox)
    assert set(stack.preview().change_summary) == {OpType.SAME}
    changes = stack.up().summary.resource_changes
    assert changes is not None
    assert set(changes) == {"same"}
    with stack.program_environment():
        stack.stack.refresh(color="never")
    assert set(stack.preview().change_summary) == {OpType.SAME}
    assert _paused(sandbox) == set()


@pytest.mark.usefixtures("without_sentinel")
@pytest.mark.parametrize("refreshed", [False, True])
def test_a_deployment_that_pauses_the_standby_starts_the_watch_again(
    sandbox: SandboxState, stack: SandboxStack, refreshed: bool
) -> None:
    stack.up()
    _resume_all(sandbox)
    if refreshed:
        with stack.program_environment():
            stack.stack.refresh(color="never")
    before = {a["name"]: a["updated"] for a in automations(sandbox)}
    SandboxStack(sandbox, configure=_another_owner).up()
    after = {a["name"]: a["updated"] for a in automations(sandbox)}
    standby = {rule.name for rule in stack.plan.automations if rule.standby}
    # What the engine last saw of `enabled` is what it deploys.
    assert _paused(sandbox) == (set() if refreshed else standby)
    assert after[BACK] != before[BACK]


def test_a_stack_that_triggers_judge_has_no_standby_and_none_is_left_behind(
    sandbox: SandboxState, stack: SandboxStack
) -> None:
    stack.up()
    native = SandboxStack(sandbox, configure=_judged_by_triggers)
    native.up()
    assert [a["name"] for a in automations(sandbox)] == sorted(
        rule.name for rule in native.plan.automations
    )
    assert _paused(sandbox) == set()


def _another_owner(config: dict[str, Any]) -> None:
    config["data-alerts:pipelines"]["clicks-hourly"]["owner"] = "shop"


def _judged_by_triggers(config: dict[str, Any]) -> None:
    config["data-alerts:evaluation"] = "triggers"


def _paused(sandbox: SandboxState) -> set[str]:
    return {a["name"] for a in automations(sandbox) if not a["enabled"]}


def _resume_all(sandbox: SandboxState) -> None:
    """Switch everything on, as the watch does with the standby."""
    for automation in automations(sandbox):
        if not automation["enabled"]:
            path = f"/automations/{automation['id']}"
            prefect(sandbox, "PATCH", path, json={"enabled": True})
