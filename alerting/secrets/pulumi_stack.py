"""A stack through the Pulumi CLI: its encrypted configuration, and its deployment."""

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import SecretStr

from alerting.pulumi_cli import NoPulumiCliError, find_cli
from alerting.redaction import REDACTED, redact
from alerting.secrets.errors import SecretsError
from alerting.settings import PROJECT


class PulumiStack:
    """One stack of the project in a folder. Every method raises SecretsError."""

    def __init__(self, root: Path, stack: str) -> None:
        """Use the CLI on PATH, or the one that set-up built."""
        self._root = root
        self._stack = stack
        self._hidden: list[str] = []

    def hide(self, value: SecretStr) -> None:
        """Keep a value out of whatever the CLI prints, where it is shown."""
        if text := value.get_secret_value().strip():
            self._hidden.append(text)

    def secret(self, key: str) -> SecretStr | None:
        """The value that the configuration holds for a secret, None when it holds none."""
        answer = self._run(["config", "get", "--path", _path(key)])
        if answer.returncode and "not found" in answer.stderr:
            return None
        self._need_success(answer)
        return SecretStr(answer.stdout.rstrip("\n"))

    def set_secret(self, key: str, value: SecretStr) -> None:
        """Encrypt a value into the configuration. It goes through a pipe, never as an argument."""
        self.hide(value)
        command = ["config", "set", "--secret", "--path", _path(key)]
        self._need_success(self._run(command, given=value))

    def up(self, say: Callable[[str], None]) -> None:
        """Deploy; `say` is told each line that the CLI prints."""
        process = subprocess.Popen(  # noqa: S603 - the CLI that PATH names
            self._command(["up", "--yes", "--skip-preview", "--color", "never"]),
            cwd=self._root,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        with process:
            for line in process.stdout or ():
                if text := self._shown(line.rstrip()):
                    say(text)
        if process.returncode:
            raise SecretsError(
                f"the deployment failed: mend what `pulumi up --stack {self._stack}` says above"
            )

    def _run(
        self, arguments: Sequence[str], given: SecretStr | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - the CLI that PATH names
            self._command(arguments),
            cwd=self._root,
            env=self._environment(),
            input=given.get_secret_value() if given else "",
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )

    def _command(self, arguments: Sequence[str]) -> list[str]:
        try:
            cli = find_cli()
        except NoPulumiCliError as error:
            raise SecretsError(str(error)) from None
        return [str(cli), *arguments, "--stack", self._stack, "--non-interactive"]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}

    def _need_success(self, answer: subprocess.CompletedProcess[str]) -> None:
        if answer.returncode == 0:
            return
        lines = [line.strip() for line in answer.stderr.splitlines() if line.strip()]
        reason = next((line for line in lines if line.startswith("error:")), "error: unknown")
        raise SecretsError(
            f"the Pulumi CLI refuses stack {self._stack}: "
            f"{self._shown(reason.removeprefix('error:').strip())}. Log in as for a deployment"
        )

    def _shown(self, text: str) -> str:
        for value in sorted(self._hidden, key=len, reverse=True):
            text = text.replace(value, REDACTED)
        return redact(text)


def _path(key: str) -> str:
    return f'{PROJECT}:secrets["{key}"].value'
