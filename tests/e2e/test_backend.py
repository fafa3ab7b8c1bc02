"""A state of one's own: in a bucket, under a KMS key, locked by whoever deploys."""

import getpass
import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from ruamel.yaml import YAML

from alerting.pulumi_cli import find_cli
from sandbox.credentials import AWS_ACCESS_KEY
from sandbox.environment import base_environment
from sandbox.stack import REPOSITORY, SandboxStack
from sandbox.state import SandboxState
from tests.contract.wire import Wire, wire_to
from tests.e2e.in_services import automations, blocks
from tests.e2e.waiting import SECONDS, wait_until_true

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

STACK, BUCKET, KEY_ALIAS, REGION = "dev", "data-alerts-state", "alias/data-alerts-dev", "eu-west-1"
LOCKS = ".pulumi/locks/"
ENCRYPTED = "slack-webhook-url"
UP = ("up", "--yes", "--skip-preview")


@dataclass
class Project:
    """The stack dev as somebody with a terminal has it, whose way to Prefect is a wire."""

    stack: SandboxStack
    wire: Wire
    bucket: "S3Client"
    variables: dict[str, str]

    def pulumi(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run the CLI to its end."""
        return subprocess.run(
            self._command(arguments),
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
            **self._place(),
        )

    @contextmanager
    def under_way(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """A command that is killed at the end, with all that it has started."""
        process = subprocess.Popen(
            self._command(arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            **self._place(),
        )
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def stored(self, prefix: str = "") -> list[str]:
        """What is in the bucket."""
        found = self.bucket.list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        return [each["Key"] for each in found.get("Contents", [])]

    def content(self, key: str) -> str:
        return self.bucket.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()

    def _command(self, arguments: Sequence[str]) -> list[str]:
        return [str(find_cli()), *arguments, "--stack", STACK, "--non-interactive"]

    def _place(self) -> dict[str, Any]:
        return {"cwd": self.stack.stack_file.parent, "env": self.variables}


@pytest.fixture
def project(sandbox: SandboxState) -> Iterator[Project]:
    """A stack that is made and not deployed, with one secret in its encrypted configuration."""
    bucket = _client(sandbox, "s3")
    bucket.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    _make_key(sandbox)
    with wire_to(sandbox.prefect_ui_url) as wire:
        through = sandbox.model_copy(update={"prefect_api_url": f"{wire.url}/api"})
        stack = SandboxStack(through, stack_file=REPOSITORY / f"Pulumi.{STACK}.yaml", name=STACK)
        project = Project(stack, wire, bucket, _variables(sandbox, stack))
        _need_success(
            project.pulumi(
                *("stack", "init", "--secrets-provider"),
                f"awskms://{KEY_ALIAS}?endpoint={sandbox.moto_url}&region={REGION}",
            )
        )
        _encrypt(project)
        yield project
        _need_success(project.pulumi("cancel", "--yes"))
        _need_success(project.pulumi("destroy", "--yes", "--remove"))


def test_a_stack_lives_in_a_bucket_and_its_lock_says_who_deploys(
    sandbox: SandboxState, project: Project
) -> None:
    project.wire.fail("POST /api/automations/", "never answered")
    with project.under_way(*UP) as first:
        wait_until_true(lambda: "POST /api/automations/" in project.wire.changes(), "half of it")
        holder = f"created by {getpass.getuser()}@{socket.gethostname()} (pid {first.pid}) at "
        beside = project.pulumi(*UP)
        assert beside.returncode != 0
        assert "the stack is currently locked by 1 lock(s)" in beside.stderr
        assert holder in beside.stderr
    # It is killed: its lock stays, and is named until somebody clears it.
    (lock,) = project.stored(LOCKS)
    after = project.pulumi(*UP)
    assert after.returncode != 0
    assert holder in after.stderr
    assert project.stored(LOCKS) == [lock]
    _need_success(project.pulumi("cancel", "--yes"))
    assert project.stored(LOCKS) == []
    _need_success(project.pulumi(*UP))
    names = [each["name"] for each in automations(sandbox)]
    assert sorted(names) == sorted(rule.name for rule in project.stack.plan.automations)
    assert blocks(sandbox).keys() == {rule.name for rule in project.stack.plan.blocks}
    _need_success(project.pulumi(*UP, "--expect-no-changes", "--diff"))
    assert project.stored(LOCKS) == []
    _holds_no_secret_in_plain(sandbox, project)


def _holds_no_secret_in_plain(sandbox: SandboxState, project: Project) -> None:
    values = project.stack.secrets.values()
    held = {block["data"].get("url") for block in blocks(sandbox).values()}
    assert set(values) <= held
    contents = [project.content(key) for key in project.stored()]
    assert any("prefect:index/block:Block" in content for content in contents)
    contents.append(project.stack.stack_file.read_text())
    for content in contents:
        assert not any(value in content for value in values)
    # Nothing but KMS opens them: there is no passphrase.
    assert "encryptedkey: " in contents[-1]
    assert "PULUMI_CONFIG_PASSPHRASE" not in project.variables
    assert any(f"awskms://{KEY_ALIAS}?" in content for content in contents)
    opened = project.pulumi("stack", "export", "--show-secrets")
    assert all(value in opened.stdout for value in values)


def _variables(sandbox: SandboxState, stack: SandboxStack) -> dict[str, str]:
    url = f"s3://{BUCKET}?endpoint={sandbox.moto_url}&s3ForcePathStyle=true&region={REGION}"
    variables = {
        **base_environment(),
        **stack._engine_environment(),
        **{rule.variable: stack.secrets[rule.key] for rule in stack.plan.secrets},
        "PULUMI_BACKEND_URL": url,
        "AWS_ACCESS_KEY_ID": AWS_ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": AWS_ACCESS_KEY,
    }
    del variables["PULUMI_CONFIG_PASSPHRASE"]
    return variables


def _encrypt(project: Project) -> None:
    """Move one secret from the environment into the stack's file, as the README says."""
    yaml = YAML()
    file = project.stack.stack_file
    document = yaml.load(file)
    del document["config"]["data-alerts:secrets"][ENCRYPTED]["from"]
    with file.open("w", encoding="utf-8") as opened:
        yaml.dump(document, opened)
    path = f'data-alerts:secrets["{ENCRYPTED}"].value'
    value = project.stack.secrets[ENCRYPTED]
    _need_success(project.pulumi("config", "set", "--secret", "--path", path, given=value))
    del project.variables["SLACK_WEBHOOK_URL"]


def _make_key(sandbox: SandboxState) -> None:
    kms = _client(sandbox, "kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=KEY_ALIAS, TargetKeyId=key)


def _client(sandbox: SandboxState, service: Any) -> Any:  # noqa: ANN401 - boto3 makes classes up
    return boto3.client(
        service,
        endpoint_url=sandbox.moto_url,
        region_name=REGION,
        aws_access_key_id=AWS_ACCESS_KEY,
        aws_secret_access_key=AWS_ACCESS_KEY,
        config=Config(proxies={}),
    )


def _need_success(answer: subprocess.CompletedProcess[str]) -> None:
    assert answer.returncode == 0, answer.stdout + answer.stderr
