"""A state of one's own: in a bucket, under a KMS key, locked by whoever deploys."""

import getpass
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from ruamel.yaml import YAML

from sandbox.credentials import AWS_ACCESS_KEY
from sandbox.stack import REPOSITORY, SandboxStack
from sandbox.state import SandboxState
from sandbox.terminal import Terminal, terminal_of
from sandbox.wire import Wire, wire_to
from tests.e2e.in_services import automations, blocks
from tests.e2e.waiting import wait_until_true

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

    terminal: Terminal
    wire: Wire
    bucket: "S3Client"

    def stored(self, prefix: str = "") -> list[str]:
        """What is in the bucket."""
        found = self.bucket.list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        return [each["Key"] for each in found.get("Contents", [])]

    def content(self, key: str) -> str:
        return self.bucket.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()


@pytest.fixture
def project(sandbox: SandboxState) -> Iterator[Project]:
    """A stack that is made and not deployed, with one secret in its encrypted configuration."""
    bucket = _client(sandbox, "s3")
    bucket.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    _make_key(sandbox)
    with wire_to(sandbox.prefect_ui_url) as wire:
        through = sandbox.model_copy(update={"prefect_api_url": f"{wire.url}/api"})
        stack = SandboxStack(through, stack_file=REPOSITORY / f"Pulumi.{STACK}.yaml", name=STACK)
        terminal = terminal_of(stack, _in_bucket(sandbox))
        del terminal.variables["PULUMI_CONFIG_PASSPHRASE"]
        key = f"awskms://{KEY_ALIAS}?endpoint={sandbox.moto_url}&region={REGION}"
        _need_success(terminal.run("stack", "init", "--secrets-provider", key))
        _encrypt(terminal)
        yield Project(terminal, wire, bucket)
        _need_success(terminal.run("cancel", "--yes"))
        _need_success(terminal.run("destroy", "--yes", "--remove"))


def test_a_stack_lives_in_a_bucket_and_its_lock_says_who_deploys(
    sandbox: SandboxState, project: Project
) -> None:
    project.wire.fail("POST /api/automations/", "never answered")
    with project.terminal.under_way(*UP) as first:
        wait_until_true(lambda: "POST /api/automations/" in project.wire.changes(), "half of it")
        holder = f"created by {getpass.getuser()}@{socket.gethostname()} (pid {first.pid}) at "
        beside = project.terminal.run(*UP)
        assert beside.returncode != 0
        assert "the stack is currently locked by 1 lock(s)" in beside.stdout
        assert holder in beside.stdout
    # It is killed: its lock stays, and is named until somebody clears it.
    (lock,) = project.stored(LOCKS)
    after = project.terminal.run(*UP)
    assert after.returncode != 0
    assert holder in after.stdout
    assert project.stored(LOCKS) == [lock]
    _need_success(project.terminal.run("cancel", "--yes"))
    assert project.stored(LOCKS) == []
    _need_success(project.terminal.run(*UP))
    names = [each["name"] for each in automations(sandbox)]
    assert sorted(names) == sorted(rule.name for rule in project.terminal.stack.plan.automations)
    assert blocks(sandbox).keys() == {rule.slug for rule in project.terminal.stack.plan.blocks}
    _need_success(project.terminal.run(*UP, "--expect-no-changes", "--diff"))
    assert project.stored(LOCKS) == []
    _holds_no_secret_in_plain(sandbox, project)


def _holds_no_secret_in_plain(sandbox: SandboxState, project: Project) -> None:
    values = project.terminal.stack.secrets.values()
    held = {block["data"].get("url") for block in blocks(sandbox).values()}
    assert set(values) <= held
    contents = [project.content(key) for key in project.stored()]
    assert any("prefect:index/block:Block" in content for content in contents)
    contents.append(project.terminal.stack.stack_file.read_text())
    for content in contents:
        assert not any(value in content for value in values)
    # Nothing but KMS opens them: there is no passphrase.
    assert "encryptedkey: " in contents[-1]
    assert "PULUMI_CONFIG_PASSPHRASE" not in project.terminal.variables
    assert any(f"awskms://{KEY_ALIAS}?" in content for content in contents)
    opened = project.terminal.run("stack", "export", "--show-secrets", logged=False)
    assert all(value in opened.stdout for value in values)


def _in_bucket(sandbox: SandboxState) -> dict[str, str]:
    """Variables for a state in the bucket."""
    return {
        "PULUMI_BACKEND_URL": f"s3://{BUCKET}?endpoint={sandbox.moto_url}"
        f"&s3ForcePathStyle=true&region={REGION}",
        "AWS_ACCESS_KEY_ID": AWS_ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": AWS_ACCESS_KEY,
    }


def _encrypt(terminal: Terminal) -> None:
    """Move one secret from the environment into the stack's file, as the README says."""
    yaml = YAML()
    file = terminal.stack.stack_file
    document = yaml.load(file)
    del document["config"]["data-alerts:secrets"][ENCRYPTED]["from"]
    with file.open("w", encoding="utf-8") as opened:
        yaml.dump(document, opened)
    path = f'data-alerts:secrets["{ENCRYPTED}"].value'
    value = terminal.stack.secrets[ENCRYPTED]
    _need_success(terminal.run("config", "set", "--secret", "--path", path, given=value))
    del terminal.variables["SLACK_WEBHOOK_URL"]


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
    assert answer.returncode == 0, answer.stdout
