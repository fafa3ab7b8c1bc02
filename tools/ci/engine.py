"""Runs the Pulumi CLI for a stack, its output redacted and kept."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.ci.redaction import Redactor

POLICIES = Path("policy")
CHANGES = 7
"""The exit code of `--expect-no-changes` when there are some."""
_SETTINGS = {
    "PULUMI_EXPERIMENTAL": "true",  # update plans
    "PULUMI_SKIP_UPDATE_CHECK": "true",
}


@dataclass(frozen=True)
class Outcome:
    """How a command went, and all that it printed, redacted."""

    code: int
    output: str


class Engine:
    """The Pulumi CLI on PATH, for one stack."""

    def __init__(self, stack: str, environment: Mapping[str, str] = os.environ) -> None:
        self._stack = stack
        self._environment = {**environment, **_SETTINGS}
        self._redactor = Redactor(environment)

    def preview(self, *arguments: str) -> Outcome:
        """Show what `up` would do, held to the policies."""
        return self.run("preview", "--diff", *self._policies(), *arguments)

    def up(self, *arguments: str) -> Outcome:
        """Deploy, held to the policies."""
        return self.run("up", "--yes", "--suppress-outputs", *self._policies(), *arguments)

    def run(self, command: str, *arguments: str) -> Outcome:
        """Run a command, and print what it prints."""
        fixed = ("--stack", self._stack, "--non-interactive", "--color", "never")
        lines = []
        with subprocess.Popen(  # noqa: S603 - the CLI that PATH names, with our own arguments
            ["pulumi", command, *fixed, *arguments],  # noqa: S607
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            for line in process.stdout or ():
                lines.append(self._redactor.redact(line))
                sys.stdout.write(lines[-1])
                sys.stdout.flush()
        return Outcome(process.returncode, "".join(lines))

    def _policies(self) -> tuple[str, ...]:
        if not POLICIES.is_dir():
            return ()
        config = POLICIES / f"{self._stack}.json"
        configured = ("--policy-pack-config", str(config)) if config.exists() else ()
        return ("--policy-pack", str(POLICIES), *configured)
