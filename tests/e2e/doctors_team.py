"""Who runs the doctor at a stack, and what they can change around it."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from ruamel.yaml import YAML
from typer.testing import CliRunner

from alerting.ctl.__main__ import app
from sandbox.environment import base_environment
from sandbox.ports import free_port
from sandbox.processes import start_service
from sandbox.services import wait_until
from sandbox.state import SandboxState
from tests.e2e.live import Live
from tests.e2e.waiting import wait_until_true

LOGIN = "admin:a-password-of-the-test"
Found = dict[str, str]


@dataclass
class Team:
    """Who runs the doctor: what their terminal holds, and the file that they run it for."""

    live: Live
    password_server: str
    """A server on the same database that asks for a password and does not know its address."""
    variables: dict[str, str | None]

    @property
    def file(self) -> Path:
        return self.live.stack.stack_file

    @property
    def state(self) -> SandboxState:
        return self.live.state

    def doctor(self) -> tuple[int, list[Found]]:
        """The exit code, and the findings in order. No value is ever shown."""
        answer = CliRunner().invoke(
            app, ["doctor", "--file", str(self.file), "--json"], env=self.variables
        )
        assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.output
        assert not any(value in answer.output for value in self.live.stack.secrets.values())
        assert LOGIN not in answer.output
        return answer.exit_code, json.loads(answer.stdout)["findings"]

    @contextmanager
    def configured(self, change: Callable[[dict[str, Any]], None]) -> Iterator[None]:
        """The stack's file changed."""
        before = self.file.read_text()
        yaml = YAML()
        document = yaml.load(before)
        change(document["config"])
        with self.file.open("w") as file:
            yaml.dump(document, file)
        try:
            yield
        finally:
            self.file.write_text(before)

    @contextmanager
    def environment(self, **variables: str) -> Iterator[None]:
        """Other variables."""
        before = self.variables
        self.variables = {**before, **variables}
        try:
            yield
        finally:
            self.variables = before

    def wait_until_first(self, check: str, verdict: str) -> None:
        """Wait until the doctor says this before all else."""

        def holds() -> bool:
            first = self.doctor()[1][0]
            return (first["check"], first["verdict"]) == (check, verdict)

        wait_until_true(holds, f"{check}'s being {verdict}")

    def follow_remedy(self) -> None:
        """`pulumi up --refresh`, as the doctor says."""
        with self.live.stack.program_environment():
            self.live.stack.stack.up(color="never", refresh=True)


def start_password_server(sandbox: SandboxState) -> str:
    """Start a second server on the sandbox's database and return its address, without /api."""
    folder = sandbox.folder
    port = free_port()
    service = start_service(
        "prefect-server-with-password",
        [
            str(Path(sys.executable).with_name("prefect")),
            "server",
            "start",
            "--no-services",
            "--port",
            str(port),
        ],
        folder,
        {
            **base_environment(),
            "DO_NOT_TRACK": "1",
            "PREFECT_HOME": str(folder / "prefect-with-password"),
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": (
                f"sqlite+aiosqlite:///{folder}/prefect/prefect.db"
            ),
            "PREFECT_SERVER_API_AUTH_STRING": LOGIN,
            "PREFECT_SERVER_EVENTS_EXPIRED_BUCKET_BUFFER": "PT1H",
        },
    )
    url = f"http://127.0.0.1:{port}"
    wait_until(service, lambda: _is_up(url))
    return url


def _is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/health", trust_env=False).is_success
    except httpx.TransportError:
        return False
