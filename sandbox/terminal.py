"""A stack as somebody with a terminal has it: the Pulumi CLI, in the folder of its project."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alerting.pulumi_cli import find_cli
from sandbox.environment import base_environment
from sandbox.stack import SandboxStack

LONGEST_SECONDS = 120.0


@dataclass
class Terminal:
    """Runs commands for one stack; `variables` are the environment's, and may be changed."""

    stack: SandboxStack
    variables: dict[str, str]

    @property
    def log_file(self) -> Path:
        """All that its commands have printed."""
        return self.stack.stack_file.with_name("terminal.log")

    def run(
        self, *arguments: str, given: str = "", logged: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the CLI to its end, with both outputs in one.

        What shows secrets on purpose must not be `logged`.
        """
        answer = subprocess.run(  # noqa: S603 - the CLI
            self._command(arguments),
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=LONGEST_SECONDS,
            **self._place(),
        )
        if logged:
            with self.log_file.open("a", encoding="utf-8") as log:
                log.write(answer.stdout)
        return answer

    @contextmanager
    def under_way(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """A command of the CLI that is killed at the end, with its process group."""
        with self.log_file.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - the CLI
                self._command(arguments),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **self._place(),
            )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):  # it has ended by itself
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        return [str(find_cli()), *arguments, "--stack", self.stack.name, "--non-interactive"]

    def _place(self) -> dict[str, Any]:
        return {"cwd": self.stack.stack_file.parent, "env": self.variables}


def terminal_of(stack: SandboxStack, variables: Mapping[str, str] | None = None) -> Terminal:
    """A terminal with the variables that a job has, and `variables` over them."""
    filled = {rule.variable: stack.secrets[rule.key] for rule in stack.plan.secrets}
    environment = base_environment() | stack.engine_environment() | filled
    return Terminal(stack, environment | dict(variables or {}))
