"""A sandbox's processes: how they are marked, started and ended.

There are no pid files. Every process is started with the sandbox's folder in its
environment, its children inherit that, and taking down means ending whatever carries
the mark. So a sandbox whose owner was killed at any moment can still be found.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from sandbox.state import SandboxError

MARK = "DATA_ALERTS_SANDBOX"
"""The environment variable that holds the absolute folder of the sandbox a process belongs to."""

GRACE_SECONDS = 2.0
"""Short: what a sandbox has not yet written is thrown away with it."""
POLL_SECONDS = 0.05
LOG_TAIL_LINES = 15


@dataclass(frozen=True)
class Service:
    """A process of a sandbox, with its output in a file of its own."""

    name: str
    process: subprocess.Popen[bytes]
    log_file: Path

    def exited(self) -> bool:
        """Whether the process has ended."""
        return self.process.poll() is not None

    def log_tail(self) -> str:
        """Return the last lines the service has printed."""
        lines = self.log_file.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(line for line in lines[-LOG_TAIL_LINES:] if line.strip())


def start_service(
    name: str, command: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> Service:
    """Start a marked process that outlives this one, its output in `folder`/logs/NAME.log."""
    log_file = folder / "logs" / f"{name}.log"
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - every command is this package's own
            command,
            # Prefect reads .env and prefect.toml from the working directory: not the developer's.
            cwd=folder,
            env={**environment, MARK: str(folder.resolve())},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Service(name, process, log_file)


@contextmanager
def contained(folder: Path) -> Iterator[None]:
    """End every process of the sandbox in `folder` when the block is left."""
    try:
        yield
    finally:
        end_processes(folder)


def end_processes(folder: Path) -> None:
    """End every process of the sandbox in `folder`, by force after a grace period.

    Raises SandboxError when one survives even that.
    """
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + GRACE_SECONDS
        signalled: set[int] = set()
        # Looked for anew each time: a worker may start a flow run while it is being ended.
        while (found := processes_of(folder)) and time.monotonic() < deadline:
            for pid in found - signalled:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal_number)
            signalled |= found
            time.sleep(POLL_SECONDS)
        if not found:
            return
    raise SandboxError(
        f"processes {sorted(found)} of the sandbox in {folder} do not end: end them by hand"
    )


def processes_of(folder: Path) -> frozenset[int]:
    """Find this user's processes that carry the mark of `folder`.

    Leaves out the caller and its ancestors, which may run inside the sandbox themselves.
    """
    kin = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    return frozenset(
        process.pid
        for process in psutil.process_iter()
        if process.pid not in kin and _mark_of(process) == str(folder)
    )


def _mark_of(process: psutil.Process) -> str | None:
    # A process of another user, one that has just ended, and a zombie all have none to show.
    try:
        return process.environ().get(MARK)
    except (psutil.Error, OSError):
        return None
