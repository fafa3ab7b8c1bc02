"""Interrupts deployments again and again, and counts what the next one does not put right.

Half of them are killed at a random moment, as a cancelled job is. The others deploy to a server
that is busy, drops connections, does not answer, or stops taking the credentials half way.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from subprocess import TimeoutExpired
from typing import Any
from urllib.parse import quote

import boto3
import httpx
from botocore.config import Config
from ruamel.yaml import YAML

from alerting.plan import build_plan
from alerting.settings.stackfile import read_stack_file
from sandbox.credentials import AWS_ACCESS_KEY
from sandbox.stack import Configure, SandboxStack
from sandbox.state import SandboxState
from sandbox.terminal import Terminal, terminal_of
from sandbox.wire import Fault, Wire, wire_to

Say = Callable[[str], object]
UP = ("up", "--yes", "--skip-preview")
BUCKET, REGION = "data-alerts-soak", "eu-west-1"
LONGEST_LIFE = 5.0
"""Seconds after which a deployment is killed at the latest: most end before."""
FROM_NOTHING = 5
"""Every so many interruptions, what is interrupted is a first deployment."""
EXPIRIES = (1, None, 60, None)
"""By which request the credentials expire, in turn, if they do. Each deployment sends two at least,
so a soak has deployments that a failing server stops, whatever the chance is."""
TRIES = 2
"""Deployments to a server that fails, before it is well again."""
BUSY, EXPIRED = httpx.Response(503, text="database is locked"), httpx.Response(401)
PASSING: tuple[Fault, ...] = (BUSY, BUSY, "lost before", "lost after", "lost after")


@dataclass(frozen=True)
class DeploymentSoakReport:
    """What a soak found. The figures after `failed` are zero where nothing is wrong."""

    kills: int
    failures: int
    seed: int
    failed: int
    """Deployments that a failing server stopped; the others came through."""
    stuck: int
    """Deployments after an interruption that did not succeed."""
    unsettled: int
    """Deployments after which there was still something to change."""
    doubled: int
    missing: int
    leaked: int
    """Secrets that were found in plain in what was printed, or in the state."""

    @property
    def passed(self) -> bool:
        """Whether every deployment converged, and nothing was doubled or leaked."""
        return not (self.stuck or self.unsettled or self.doubled or self.missing or self.leaked)

    def __str__(self) -> str:
        """One line."""
        return (
            f"{self.kills} deployments killed and {self.failures} to a failing server ("
            f"{self.failed} attempts stopped by it), seed {self.seed}: {self.stuck} did not "
            f"converge, {self.unsettled} unsettled, {self.doubled} things doubled, "
            f"{self.missing} missing, {self.leaked} secrets leaked"
        )


def soak(
    state: SandboxState,
    kills: int,
    failures: int,
    seed: int,
    say: Say,
    configure: Configure | None = None,
) -> DeploymentSoakReport:
    """Soak the deployment of a sandbox in which nothing is deployed; it is removed at the end.

    `configure` changes what is deployed.
    """
    with wire_to(state.prefect_ui_url) as wire:
        through = state.model_copy(update={"prefect_api_url": f"{wire.url}/api"})
        stack = SandboxStack(through, configure=configure)
        terminal = terminal_of(stack, _backend(state))
        with _initialised(terminal):
            chance = random.Random(seed)  # noqa: S311 - to be played again, not to be secret
            return _Soak(state, wire, terminal, chance, say).run(kills, failures, seed)


@contextmanager
def _initialised(terminal: Terminal) -> Iterator[None]:
    _need_success(terminal, "stack", "init", "--secrets-provider", "passphrase")
    try:
        yield
    finally:
        terminal.run("cancel", "--yes")
        _need_success(terminal, "destroy", "--yes", "--remove")


@dataclass
class _Soak:
    state: SandboxState
    wire: Wire
    terminal: Terminal
    chance: random.Random
    say: Say
    found: Counter[str] = field(default_factory=Counter)
    expiries: Iterator[int | None] = field(default_factory=lambda: cycle(EXPIRIES))

    def run(self, kills: int, failures: int, seed: int) -> DeploymentSoakReport:
        interruptions = [self._kill] * kills + [self._fail] * failures
        self.chance.shuffle(interruptions)
        for number, interrupt in enumerate(interruptions):
            if number % FROM_NOTHING == 0:
                _need_success(self.terminal, "destroy", "--yes", "--skip-preview")
                self.terminal.stack.provide_secrets()
            self._change()
            interrupt()
            self._converge()
            if (number + 1) % 10 == 0:
                self.say(f"{number + 1} of {len(interruptions)} deployments interrupted")
        return DeploymentSoakReport(
            kills=kills, failures=failures, seed=seed, leaked=self._leaked(), **self._counts()
        )

    def _counts(self) -> dict[str, int]:
        names = ("failed", "stuck", "unsettled", "doubled", "missing")
        return {name: self.found[name] for name in names}

    def _change(self) -> None:
        """Give the next deployment something to make, to change and to take away."""
        yaml = YAML()
        file = self.terminal.stack.stack_file
        document = yaml.load(file)
        config = document["config"]
        steps = [{"after": "15m", "to": "on-call engineer", "notify": ["on-call"]}]
        if self.chance.choice((True, False)):
            steps.append({"after": "30m", "to": "head of data", "notify": ["on-call"]})
        config["data-alerts:escalation"] = steps
        config["data-alerts:tiers"]["critical"]["consecutiveFailures"] = self.chance.randint(3, 9)
        with file.open("w", encoding="utf-8") as opened:
            yaml.dump(document, opened)

    def _kill(self) -> None:
        with self.terminal.under_way(*UP) as process:
            try:
                process.wait(self.chance.uniform(0, LONGEST_LIFE))
            except TimeoutExpired:
                return

    def _fail(self) -> None:
        self.wire.unreliable = self._faults()
        for _ in range(TRIES):
            if self.terminal.run(*UP).returncode == 0:
                break
            self.found["failed"] += 1
        self.wire.unreliable = None

    def _faults(self) -> Callable[[], Fault | None]:
        """One bad day of a server: how bad differs."""
        share = self.chance.choice((0.05, 0.15, 0.4))
        silent_at = self.chance.choice((None, None, self.chance.randint(1, 60)))
        latest = next(self.expiries)
        expired_at = None if latest is None else self.chance.randint(0, latest)
        requests = 0

        def fault() -> Fault | None:
            nonlocal requests
            requests += 1
            if expired_at is not None and requests > expired_at:
                return EXPIRED
            if requests == silent_at:
                return "never answered"
            return self.chance.choice(PASSING) if self.chance.random() < share else None

        return fault

    def _converge(self) -> None:
        self._note("stuck", "cancel", "--yes")
        self._note("stuck", *UP)
        stack = self.terminal.stack
        plan = build_plan(read_stack_file(stack.stack_file).settings, stack.name)
        self._compare(self._automations(), Counter(rule.name for rule in plan.automations))
        self._compare(self._blocks(), Counter(block.name for block in plan.blocks))
        self._note("unsettled", "preview", "--expect-no-changes")

    def _note(self, kind: str, *arguments: str) -> None:
        answer = self.terminal.run(*arguments)
        if answer.returncode:
            self.found[kind] += 1
            self.say(f"{kind}: pulumi {' '.join(arguments)}\n{answer.stdout}")

    def _compare(self, there: Counter[str], planned: Counter[str]) -> None:
        doubled, missing = there - planned, planned - there
        self.found["doubled"] += doubled.total()
        self.found["missing"] += missing.total()
        if doubled or missing:
            self.say(f"too many: {sorted(doubled)}; missing: {sorted(missing)}")

    def _automations(self) -> Counter[str]:
        return Counter(each["name"] for each in self._listed("/automations/filter"))

    def _blocks(self) -> Counter[str]:
        return Counter(each["name"] for each in self._listed("/block_documents/filter"))

    def _listed(self, path: str) -> list[dict[str, Any]]:
        answer = httpx.post(self.state.prefect_api_url + path, json={}, trust_env=False)
        found: list[dict[str, Any]] = answer.raise_for_status().json()
        return found

    def _leaked(self) -> int:
        values = self.terminal.stack.secrets.values()
        texts = [self.terminal.log_file.read_text(encoding="utf-8"), *_stored(self.state)]
        return sum(value in text for text in texts for value in values)


def _need_success(terminal: Terminal, *arguments: str) -> None:
    answer = terminal.run(*arguments)
    if answer.returncode:
        raise AssertionError(f"pulumi {' '.join(arguments)}\n{answer.stdout}")


def _backend(state: SandboxState) -> dict[str, str]:
    """Variables for a state in a bucket: it is replaced whole, as a file is not."""
    _bucket(state).create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    endpoint = quote(state.moto_url, safe="")
    return {
        "AWS_ACCESS_KEY_ID": AWS_ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": AWS_ACCESS_KEY,
        "PULUMI_BACKEND_URL": f"s3://{BUCKET}?endpoint={endpoint}"
        f"&s3ForcePathStyle=true&region={REGION}",
    }


def _stored(state: SandboxState) -> Iterator[str]:
    bucket = _bucket(state)
    for page in bucket.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for each in page.get("Contents", []):
            yield bucket.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read().decode()


def _bucket(state: SandboxState) -> Any:  # noqa: ANN401 - boto3 makes classes up
    return boto3.client(
        "s3",
        endpoint_url=state.moto_url,
        region_name=REGION,
        aws_access_key_id=AWS_ACCESS_KEY,
        aws_secret_access_key=AWS_ACCESS_KEY,
        config=Config(proxies={}),
    )
