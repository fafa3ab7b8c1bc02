"""Real runs against a real Prefect server, with what Slack receives of them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from prefect.blocks.notifications import SlackWebhook
from prefect.blocks.system import Secret
from prefect.settings import PREFECT_API_URL, temporary_settings
from pydantic import SecretStr

from alerting.hooks import NAME_PREFIX_VARIABLE
from alerting.plan.published import PublishedPipeline, PublishedSettings
from sandbox.capture.address import CaptureAddress
from sandbox.capture.channels import register_channels
from sandbox.capture.messages import CapturedMessage, read_messages
from sandbox.environment import base_environment, captured
from sandbox.processes import contained
from sandbox.services import REPOSITORY, start_capture

pytestmark = pytest.mark.contract

FLOWS = Path(__file__).with_name("flows_with_hooks.py")
STACK, BARE = "hooks", "hooks-bare"
AUTOMATION = "[hooks] DLT Pipeline Failure Alert"
REFUSED_TOKEN = "FAKEREFUSED"
WEBHOOKS = {
    f"{STACK}-alerts": "https://hooks.slack.com/services/T00000000/B00000000/FAKEALERTS",
    f"{STACK}-info": "https://hooks.slack.com/services/T00000000/B00000000/FAKEINFO",
    f"{STACK}-refused": f"https://hooks.slack.com/services/T00000000/B00000000/{REFUSED_TOKEN}",
    f"{BARE}-alerts": "https://hooks.slack.com/services/T00000000/B00000000/FAKEBARE",
}
SETTINGS = PublishedSettings(
    tag="dlt",
    failure_automation=AUTOMATION,
    # The first refuses every message, which must keep nobody else from hearing.
    failure_blocks=(f"slack-webhook/{STACK}-refused", f"slack-webhook/{STACK}-alerts"),
    success_blocks=(f"slack-webhook/{STACK}-info",),
    default_owner="data-platform",
    ui_url="https://prefect.example.com",
    pipelines=tuple(
        PublishedPipeline(name=flow, flow=flow, deployment=None, owner="web", announce_success=True)
        for flow in ("sync-completes", "async-completes")
    ),
)
FAILING = {
    "sync_fails": ("Failed", "ValueError: no rows"),
    "async_fails": ("Failed", "ValueError: no rows"),
    "sync_exits": ("Crashed", "SystemExit: 3"),
    "async_is_interrupted": ("Crashed", "KeyboardInterrupt: "),
    "sync_times_out": ("TimedOut", "FlowRunTimeoutError: Scope timed out after 0.2 second(s)."),
    "async_times_out": ("TimedOut", "FlowRunTimeoutError: Scope timed out after 0.2 second(s)."),
}
OTHERS = (
    "parent_cancels",
    "sync_completes",
    "async_completes",
    "unlisted_completes",
    "tagged_fails",
    "tagged_always_tells",
    "deployed_fails",
)


@dataclass(frozen=True)
class Runs:
    """What came of a process that ran some flows."""

    outcomes: dict[str, str]
    log: str
    messages: list[CapturedMessage]

    def told(self, flow: str) -> list[CapturedMessage]:
        return [m for m in self.messages if m.accepted and m.title.endswith(f" {flow}")]


@dataclass(frozen=True)
class Place:
    """Where flows run: beside a Prefect server, with a capture in Slack's place."""

    folder: Path
    api_url: str
    capture: CaptureAddress

    def run(self, prefix: str, *flows: str) -> Runs:
        earlier = len(read_messages(self.folder))
        process = subprocess.run(
            [sys.executable, str(FLOWS), *flows],
            cwd=self.folder,
            env={
                **base_environment(),
                **captured(self.capture.proxy_url, self.capture.ca_file),
                "PREFECT_API_URL": self.api_url,
                "PREFECT_HOME": str(self.folder / "prefect"),
                "PYTHONPATH": str(REPOSITORY),
                NAME_PREFIX_VARIABLE: prefix,
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        outcomes = dict(json.loads(line) for line in process.stdout.splitlines())
        return Runs(outcomes, process.stderr, read_messages(self.folder)[earlier:])


@pytest.fixture(scope="module")
def place(prefect_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("hooks")
    with contained(folder):
        capture = start_capture(folder)
        register_channels(
            folder, {url: name for name, url in WEBHOOKS.items() if REFUSED_TOKEN not in url}
        )
        with temporary_settings({PREFECT_API_URL: prefect_server}):
            for name, url in WEBHOOKS.items():
                SlackWebhook(url=SecretStr(url)).save(name)
            settings = {"value": SETTINGS.packed()}
            Secret.model_validate(settings).save(f"{STACK}-data-alerts")
        automation = {
            "name": AUTOMATION,
            # Only its name counts here. One that expects everything would set itself off.
            "trigger": {"type": "event", "posture": "Reactive", "expect": ["hooks.never"]},
            "actions": [{"type": "do-nothing"}],
        }
        httpx.post(f"{prefect_server}/automations/", json=automation).raise_for_status()
        yield Place(folder, prefect_server, capture)


@pytest.fixture(scope="module")
def runs(place: Place) -> Runs:
    """Every flow, run once, in one process: starting one takes longer than the flows do."""
    return place.run(STACK, *FAILING, *OTHERS)


@pytest.mark.parametrize("flow", FAILING)
def test_a_bad_end_is_told_once_and_stays_what_it_was(runs: Runs, flow: str) -> None:
    state, outcome = FAILING[flow]
    assert runs.outcomes[flow] == outcome
    (message,) = runs.told(flow.replace("_", "-"))
    assert message.channel == f"{STACK}-alerts"
    assert message.title == f":x: Pipeline failed: {flow.replace('_', '-')}"
    assert f"*State*: {state} at " in message.text
    assert "*Look*: https://prefect.example.com/runs/flow-run/" in message.text


def test_a_subflow_that_is_cancelled_with_its_parent_is_told(runs: Runs) -> None:
    (message,) = runs.told("child-is-cancelled")
    assert "*State*: Crashed at " in message.text


@pytest.mark.parametrize("flow", ["sync_completes", "async_completes"])
def test_the_completion_of_a_pipeline_that_asks_for_it_is_told(runs: Runs, flow: str) -> None:
    assert runs.outcomes[flow] == "returned"
    (message,) = runs.told(flow.replace("_", "-"))
    assert message.channel == f"{STACK}-info"


def test_the_completion_of_a_pipeline_that_is_not_listed_is_not_told(runs: Runs) -> None:
    assert runs.outcomes["unlisted_completes"] == "returned"
    assert runs.told("unlisted-completes") == []


def test_a_failure_that_the_automation_announces_is_told_only_if_asked(runs: Runs) -> None:
    assert runs.outcomes["tagged_fails"] == "ValueError: no rows"
    assert runs.told("tagged-fails") == []
    assert len(runs.told("tagged-always-tells")) == 1


def test_a_deployment_gives_its_runs_its_tag_and_its_name(runs: Runs) -> None:
    assert runs.outcomes["deployed_fails"] == "ValueError: no rows"
    # Both hooks are on the flow: the tag silences one, the other tells.
    (message,) = runs.told("deployed-fails")
    assert "*Deployment*: nightly" in message.text


def test_a_webhook_that_refuses_is_logged_in_one_line_without_its_url(runs: Runs) -> None:
    refusals = [line for line in runs.log.splitlines() if "Not everybody was told" in line]
    # The failures, the cancelled subflow and the two hooks that always tell.
    assert len(refusals) == len(FAILING) + 3
    assert all(
        line.endswith(
            f"slack-webhook/{STACK}-refused: [WARNING]: Failed to send to Slack: "
            "Page not found., error=404."
        )
        for line in refusals
    )
    assert REFUSED_TOKEN not in runs.log
    assert "while running hook" not in runs.log


def test_without_the_stacks_settings_a_failure_is_told_and_the_remedy_logged(place: Place) -> None:
    runs = place.run(BARE, "sync_fails")
    assert runs.outcomes == {"sync_fails": "ValueError: no rows"}
    (message,) = runs.told("sync-fails")
    assert message.channel == f"{BARE}-alerts"
    assert f"*Look*: {place.api_url.removesuffix('/api')}/runs/flow-run/" in message.text
    assert f"Block secret/{BARE}-data-alerts is missing; deploy the stack" in runs.log
