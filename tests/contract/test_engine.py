"""Runs that are forked: to the worker they look like the engine that it would start itself."""

import os
import shlex
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from sandbox.engine import command_for_runs
from sandbox.environment import base_environment
from sandbox.processes import Service, contained, processes_of
from sandbox.services import start_engine, wait_until

pytestmark = pytest.mark.contract


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("a-path-that-is-longer-than-any-socket-may-have" * 3)
    with contained(folder):
        yield start_engine(folder)


@pytest.fixture
def folder(engine: Service) -> Path:
    return engine.log_file.parent.parent


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """A Prefect server that takes connections and answers nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def start(folder: Path, run: str, server: socket.socket | None = None) -> subprocess.Popen[str]:
    port = server.getsockname()[1] if server else 1
    return subprocess.Popen(
        shlex.split(command_for_runs(folder)),
        env={
            **base_environment(),
            "PREFECT__FLOW_RUN_ID": run,
            "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
            "PREFECT_HOME": str(folder / "home"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def started(folder: Path, server: socket.socket) -> Iterator[subprocess.Popen[str]]:
    """A command whose run has asked the server; it does not outlive the block."""
    command = start(folder, str(uuid4()), server)
    try:
        with asked(server):
            yield command
    finally:
        command.kill()
        command.communicate()


def asked(server: socket.socket) -> socket.socket:
    """Wait until the run asks the server."""
    server.settimeout(30)
    return server.accept()[0]


def test_a_run_gets_the_environment_and_the_output_of_its_command_and_gives_its_exit_code(
    folder: Path,
) -> None:
    command = start(folder, "no-run-at-all")
    output, _ = command.communicate(timeout=60)
    assert command.returncode == 1
    assert "Invalid flow run id" in output


def test_runs_go_on_side_by_side(folder: Path, server: socket.socket) -> None:
    with started(folder, server) as first, started(folder, server) as second:
        assert (first.poll(), second.poll()) == (None, None)


def test_a_command_says_in_one_line_that_nothing_runs_it(tmp_path: Path) -> None:
    command = start(tmp_path, str(uuid4()))
    output, _ = command.communicate(timeout=60)
    assert command.returncode == 1
    assert output.splitlines() == [
        f"nothing forks runs at {tmp_path / 'engine.sock'}: No such file or directory"
    ]


def test_a_command_that_is_terminated_ends_the_run_and_then_as_the_run_did(
    engine: Service, folder: Path, server: socket.socket
) -> None:
    with started(folder, server) as command:
        command.terminate()
        command.wait(timeout=30)
    assert command.returncode == -signal.SIGTERM
    alone(engine, folder)


def test_a_run_that_is_killed_kills_its_command_too(
    engine: Service, folder: Path, server: socket.socket
) -> None:
    alone(engine, folder)
    with started(folder, server) as command:
        attendants = set(psutil.Process(engine.process.pid).children())
        [run] = [child for each in attendants for child in each.children()]
        run.kill()
        output, _ = command.communicate(timeout=30)
    assert (command.returncode, output) == (-signal.SIGKILL, "")


def test_a_command_that_is_killed_takes_its_run_with_it(
    engine: Service, folder: Path, server: socket.socket
) -> None:
    alone(engine, folder)
    with started(folder, server) as command:
        assert len(processes_of(folder)) > 1
        command.kill()
        alone(engine, folder)


def test_a_command_that_is_killed_before_it_asks_leaves_nothing(
    engine: Service, folder: Path
) -> None:
    alone(engine, folder)
    here = Path.cwd()
    with socket.socket(socket.AF_UNIX) as asking:
        os.chdir(folder)
        try:
            asking.connect("engine.sock")
        finally:
            os.chdir(here)
        wait_until(engine, lambda: len(processes_of(folder)) > 1)
    alone(engine, folder)
    assert "Traceback" not in engine.log_tail()


def alone(engine: Service, folder: Path) -> None:
    """Wait until there is no fork."""
    wait_until(engine, lambda: processes_of(folder) == {engine.process.pid})
