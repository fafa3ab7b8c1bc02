"""`make demo` as a reader runs it, also after one that was killed, and what it leaves behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.processes import processes_of
from sandbox.services import start_sentinel
from sandbox.soak.sentinel import end_sentinels
from sandbox.stack import SandboxStack
from sandbox.state import SandboxState

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

COMMAND = [sys.executable, "-m", "sandbox"]
MOMENTS = ("starting", "deploying", "all pipelines down")


def test_a_drill_passes_and_no_secret_is_anywhere(
    sandbox: SandboxState, stack: SandboxStack, capfd: pytest.CaptureFixture[str]
) -> None:
    # Others who share the sandbox end its sentinel.
    end_sentinels(sandbox.folder)
    start_sentinel(sandbox.folder, sandbox.prefect_api_url)
    stack.up(print)
    drill = subprocess.run(
        [sys.executable, "-m", "alerting.ctl", "drill", "--sandbox", str(sandbox.folder), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert drill.stdout, drill.stderr
    report = json.loads(drill.stdout)
    assert drill.returncode == 0, report
    assert report["unexpected"] == []
    assert {e["tier"] for e in report["expected"]} == {
        "critical",
        "escalation",
        "late",
        "p1",
        "recovery",
        "success",
        "warning",
    }
    printed = "".join(capfd.readouterr())
    texts = {"deployment": printed, "drill": drill.stdout + drill.stderr}
    for secret in stack.secrets.values():
        # Of a webhook URL the last part is the secret one.
        needle = secret.rsplit("/", 1)[-1]
        assert not [name for name, text in texts.items() if needle in text]
        assert _files_with(sandbox.folder, needle) == []


def test_a_demo_that_was_killed_does_not_hinder_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "sandbox"
    # Each comes further than the one before it.
    for moment in MOMENTS:
        _kill_when_it_says(moment, folder)
        assert processes_of(folder), f"what the demo started is gone: {moment}"
    up = subprocess.run(
        [*COMMAND, "up", "--folder", str(folder)], capture_output=True, text=True, check=False
    )
    assert up.returncode == 0, up.stdout
    assert "resources in" in up.stdout
    subprocess.run([*COMMAND, "down", "--folder", str(folder)], check=True)
    assert processes_of(folder) == frozenset()
    assert list(folder.iterdir()) == []


def test_drilling_without_a_sandbox_says_how_to_get_one(tmp_path: Path) -> None:
    drill = subprocess.run(
        [sys.executable, "-m", "alerting.ctl", "drill", "--sandbox", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert drill.returncode == 2
    assert "make sandbox" in drill.stderr
    assert "Traceback" not in drill.stderr


def _kill_when_it_says(words: str, folder: Path) -> None:
    demo = subprocess.Popen(
        [*COMMAND, "demo", "--folder", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert demo.stdout is not None
    deadline = time.monotonic() + 120
    for line in demo.stdout:
        if words in line or time.monotonic() > deadline:
            break
    else:
        pytest.fail(f"the demo ended without saying {words!r}")
    # Amid what it has announced, not before.
    _wait_for(lambda: bool(processes_of(folder)))
    demo.send_signal(signal.SIGKILL)
    demo.wait()


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _files_with(folder: Path, secret: str) -> list[Path]:
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and secret.encode() in path.read_bytes()
    ]
