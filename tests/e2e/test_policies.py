"""The policy pack in the real engine: what it stops, by name and remedy, and what it lets pass."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import pulumi_prefect as prefect
import pytest
from pulumi import ResourceTransformationArgs, ResourceTransformationResult
from pulumi.automation import CommandError

from alerting.pulumi_cli import find_cli
from sandbox.stack import REPOSITORY, Configure, SandboxStack, run_program
from sandbox.state import SandboxState
from tests.e2e.in_services import automations, aws, blocks
from tools.ci.engine import POLICIES, Engine

pytestmark = pytest.mark.e2e

Previewed = Callable[..., str]
WEBHOOK = "https://hooks.slack.com/services/T00000000/B00000000/ANOTHERFAKEFORTHETEST"
SECRET = "aws:secretsmanager/secret:Secret"
OWN = json.dumps({"prefect.resource.id": "data-alerts.*", "data-alerts.scope": "prod"})


@dataclass(frozen=True)
class Change:
    """A change of the program: another input, or option, of one resource."""

    name: str
    inputs: dict[str, Any]
    token: str = "prefect:index/automation:Automation"
    secret: bool = False
    """Whether the inputs are Pulumi secrets. An Output lives no longer than one run."""
    protect: bool = True

    def __call__(self, args: ResourceTransformationArgs) -> ResourceTransformationResult | None:
        if (args.type_, args.name) != (self.token, self.name):
            return None
        if not self.protect:
            args.opts.protect = False
        of_output = pulumi.Output.secret if self.secret else pulumi.Output.from_input
        inputs = {name: of_output(value) for name, value in self.inputs.items()}
        return ResourceTransformationResult({**args.props, **inputs}, args.opts)


def _block(url: str, *, secret: bool = True) -> Change:
    data = json.dumps({"notify_type": "warning", "url": url})
    return Change("data-alerts", {"data": data}, "prefect:index/block:Block", secret=secret)


def _event(name: str, *, keyed: bool = True, match: str = OWN) -> Change:
    event = prefect.AutomationTriggerEventArgs(
        posture="Reactive",
        expects=["data-alerts.streak"],
        for_eaches=["prefect.resource.id"] if keyed else None,
        match=match,
        match_related="{}",
        threshold=1,
        within=0,
    )
    return Change(name, {"trigger": prefect.AutomationTriggerArgs(event=event)})


def _without_runbook(config: dict[str, Any]) -> None:
    del config["data-alerts:pipelines"]["products-daily"]["runbook"]


def _without_owner(config: dict[str, Any]) -> None:
    config["data-alerts:defaultOwner"] = "unassigned"


def _without_p1(config: dict[str, Any]) -> None:
    del config["data-alerts:tiers"]["p1"]


# By policy: what it stops, and the remedy that it names.
STOPPED: dict[str, tuple[Change | Configure, str]] = {
    "no-plain-secret": (
        Change("slack-webhook-url", {"description": WEBHOOK}, SECRET),
        "Keep it in AWS Secrets Manager",
    ),
    "matched-and-keyed": (_event("warning", match="{}"), "Match the tag in match_related"),
    "page-once": (_event("critical", keyed=False), "Key it by run, flow or deployment"),
    "described": (Change("warning", {"description": ""}), "Say what it tells, and of what"),
    "pipelines-owned": (_without_owner, "in data-alerts:defaultOwner"),
    "runbooks": (_without_runbook, "Add `runbook` to it in data-alerts:pipelines"),
    "secrets-recoverable": (
        Change("slack-webhook-url", {}, SECRET, protect=False),
        "Set protect=True",
    ),
    "no-private-webhook": (
        _block("https://10.0.0.7/hook"),
        "Put the webhook of the real channel into the secret",
    ),
    "paging-rules-stay": (_without_p1, "Bring back the automation with this key"),
}


@pytest.fixture
def preview(sandbox: SandboxState, monkeypatch: pytest.MonkeyPatch) -> Iterator[Previewed]:
    """Previews one of the project's stacks, changed, held to the policies; returns what is said."""

    def preview(stack: str, *changes: Change | Configure, config: Path | None = None) -> str:
        def configure(config: dict[str, Any]) -> None:
            for change in changes:
                if not isinstance(change, Change):
                    change(config)

        def program() -> None:
            for change in changes:
                if isinstance(change, Change):
                    pulumi.runtime.register_stack_transformation(change)
            run_program()

        monkeypatch.setattr("sandbox.stack.run_program", program)
        changed = _of(sandbox, stack, configure)
        return changed.preview(policies=True, policy_config=config).stdout

    yield preview
    manager = aws(sandbox)
    for secret in manager.list_secrets()["SecretList"]:
        manager.delete_secret(SecretId=secret["Name"], ForceDeleteWithoutRecovery=True)


@pytest.mark.parametrize("stack", ["dev", "staging", "prod", "sandbox"])
def test_every_stack_of_the_project_passes(preview: Previewed, stack: str) -> None:
    told = preview(stack)
    assert "data-alerts@v1.0.0 (local: " in told
    assert "[mandatory]" not in told
    assert "[advisory]  runbooks-advised" in told
    assert "can't run policy" not in told


def test_a_stack_may_take_a_policy_as_advice(preview: Previewed, tmp_path: Path) -> None:
    config = tmp_path / "prod.json"
    config.write_text('{"paging-rules-stay": "advisory"}')
    told = preview("prod", _without_p1, config=config)
    assert "[advisory]  paging-rules-stay" in told
    assert "[mandatory]" not in told


@pytest.mark.parametrize("policy", STOPPED)
def test_each_policy_stops_a_bad_change_by_its_name_and_with_a_remedy(
    preview: Previewed, policy: str
) -> None:
    change, remedy = STOPPED[policy]
    with pytest.raises(CommandError) as stopped:
        preview("prod", change)
    told = str(stopped.value)
    assert f"[mandatory]  {policy} " in told
    assert remedy in told
    assert "ANOTHERFAKE" not in told
    assert "10.0.0.7" not in told


def test_each_policy_lets_a_good_change_of_the_same_thing_through(preview: Previewed) -> None:
    def configure(config: dict[str, Any]) -> None:
        config["data-alerts:defaultOwner"] = "another-team"
        config["data-alerts:pipelines"]["products-daily"]["runbook"] = "https://wiki.example.com/x"
        config["data-alerts:tiers"]["p1"] = {"notify": ["data-alerts-critical", "on-call"]}

    told = preview(
        "prod",
        _block(WEBHOOK),
        _event("warning", match=OWN),
        _event("critical"),
        Change("late", {"description": "Another description.\n\ndata-alerts: prod"}),
        Change("slack-webhook-url", {"description": "Another description."}, SECRET),
        configure,
    )
    assert "[mandatory]" not in told


@pytest.mark.usefixtures("preview")  # which removes the secrets that the stack reads
def test_a_deployment_as_ci_runs_it_is_stopped_with_nothing_made(
    sandbox: SandboxState, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = _of(sandbox, "prod", _without_runbook)
    folder = stack.stack_file.parent
    (folder / POLICIES).symlink_to(REPOSITORY / POLICIES)
    monkeypatch.chdir(folder)
    with stack.program_environment():
        environment = {**os.environ, **stack.stack.workspace.env_vars}
        environment["PATH"] = f"{environment['PATH']}{os.pathsep}{find_cli().parent}"
        before = [secret["Name"] for secret in aws(sandbox).list_secrets()["SecretList"]]
        outcome = Engine("prod", environment).up()
    assert outcome.code != 0
    assert "[mandatory]  runbooks " in outcome.output
    assert automations(sandbox) == []
    assert blocks(sandbox) == {}
    assert [secret["Name"] for secret in aws(sandbox).list_secrets()["SecretList"]] == before


def _of(sandbox: SandboxState, stack: str, configure: Configure) -> SandboxStack:
    file = REPOSITORY / f"Pulumi.{stack}.yaml"
    return SandboxStack(sandbox, stack_file=file, configure=configure, name=stack)
