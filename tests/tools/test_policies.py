"""Each policy: a change that it stops, by name and remedy, and one that it lets through."""

import pytest
from pulumi_policy import EnforcementLevel

from policy.pack import POLICIES
from tests.shared.recording_mocks import (
    AUTOMATION,
    BLOCK,
    SECRET,
)
from tests.tools.policed_stack import PolicedStack, one_pipeline

pytestmark = [pytest.mark.tools, pytest.mark.usefixtures("credentials")]

MANDATORY = [p.name for p in POLICIES if p.enforcement_level is not EnforcementLevel.ADVISORY]
STACKS = ("dev", "staging", "prod", "sandbox")


@pytest.mark.parametrize("evaluation", ["sentinel", "triggers"])
@pytest.mark.parametrize("stack", STACKS)
def test_every_stack_of_the_project_passes(stack: str, evaluation: str) -> None:
    policed = PolicedStack(stack, evaluation=evaluation)
    told = {name: policed.violations(name) for name in MANDATORY}
    assert not any(told.values()), told


def test_policies_say_why_and_stop_what_they_find_but_for_advice() -> None:
    assert len({policy.name for policy in POLICIES}) == len(POLICIES)
    assert all(len(policy.description) > 30 for policy in POLICIES)
    assert {p.name for p in POLICIES} - set(MANDATORY) == {"runbooks-advised"}


@pytest.mark.parametrize("description", ["", "  ", "\n\ndata-alerts: prod"])
def test_an_automation_says_what_it_is_for(description: str) -> None:
    stack = PolicedStack("prod")
    stack.change(AUTOMATION, "warning", description=description)
    told = stack.violations("described")
    assert told[0].startswith("warning: has no description. Say what it tells")
    stack.change(AUTOMATION, "warning", description="One message.\n\ndata-alerts: prod")
    assert stack.violations("described") == []


def test_automations_and_secrets_say_whose_they_are() -> None:
    stack = PolicedStack("prod")
    stack.change(AUTOMATION, "warning", description="One message.")
    stack.change(SECRET, "slack-webhook-url", tags={"team": "data"})
    of_secret, of_automation = stack.violations("described")
    assert of_automation.startswith("warning: does not say which stack it is of")
    assert of_secret.startswith("slack-webhook-url: does not say which stack it is of")
    stack.change(SECRET, "slack-webhook-url", tags={"project": "data-alerts", "stack": "prod"})
    assert stack.violations("described") == [of_automation]


def test_a_pipeline_without_an_owner_is_stopped() -> None:
    stack = PolicedStack("dev", pipelines=one_pipeline(owner="unassigned"))
    assert stack.violations("pipelines-owned") == [
        "orders: has no owner. Name the team in data-alerts:pipelines."
    ]
    another = PolicedStack("dev", pipelines=one_pipeline(owner="another team"))
    assert another.violations("pipelines-owned") == []


def test_production_names_who_looks_after_flows_that_are_not_listed() -> None:
    [told] = PolicedStack("prod", defaultOwner="unassigned").violations("pipelines-owned")
    assert "data-alerts:defaultOwner" in told
    assert PolicedStack("dev", defaultOwner="unassigned").violations("pipelines-owned") == []


def test_a_stack_that_publishes_no_settings_is_stopped_and_guarded_as_production() -> None:
    stack = PolicedStack("dev")
    stack.remove(BLOCK, "hooks")
    [told] = stack.violations("pipelines-owned")
    assert told.startswith("The stack publishes no settings")
    assert stack.violations("secrets-recoverable") != []


def test_a_pipeline_that_wakes_people_in_production_has_a_runbook() -> None:
    pipelines = one_pipeline(escalate=True)
    [told] = PolicedStack("prod", pipelines=pipelines).violations("runbooks")
    assert told.startswith("orders: wakes people and has no runbook. Add `runbook`")
    assert PolicedStack("prod", pipelines=pipelines).violations("runbooks-advised") == []
    with_one = one_pipeline(escalate=True, runbook="https://wiki.example.com/orders")
    assert PolicedStack("prod", pipelines=with_one).violations("runbooks") == []


@pytest.mark.parametrize(("stack", "escalate"), [("dev", True), ("prod", False)])
def test_elsewhere_a_runbook_is_advised(stack: str, escalate: bool) -> None:
    policed = PolicedStack(stack, pipelines=one_pipeline(escalate=escalate))
    assert policed.violations("runbooks") == []
    [told] = policed.violations("runbooks-advised")
    assert told.startswith("orders: has no runbook. Add `runbook`")
