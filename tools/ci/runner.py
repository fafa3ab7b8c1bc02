"""What a step hands to GitHub's runner: outputs, a summary, notes at the top of the run.

Without a runner it goes to standard output. Only the standard library, so that a step can run
before anything is installed.
"""

import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

REPORTS = Path("ci-reports")
"""Where steps leave files for the steps after them."""


def report_file(kind: str, stack: str, suffix: str = ".md") -> Path:
    """The file that a step leaves about a stack; its folder is there."""
    REPORTS.mkdir(exist_ok=True)
    return REPORTS / f"{kind}-{stack}{suffix}"


def set_output(name: str, value: str) -> None:
    """Set a step's output, of as many lines as it has."""
    # Random, so that no value can end its own output and begin another.
    end = secrets.token_hex(16)
    _append("GITHUB_OUTPUT", f"{name}<<{end}\n{value}\n{end}\n", f"{name}: {value}")


def add_summary(markdown: str) -> None:
    """Add to the page of the run."""
    _append("GITHUB_STEP_SUMMARY", f"{markdown}\n", markdown)


def notice(text: str) -> None:
    """Say something at the top of the run's page."""
    _say("notice", text)


def warning(text: str) -> None:
    """Say something at the top of the run's page that somebody should look at."""
    _say("warning", text)


def run_url(environment: Mapping[str, str]) -> str | None:
    """Where people read this run's log; None where there is no runner."""
    parts = [environment.get(f"GITHUB_{name}") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
    if not all(parts):
        return None
    server, repository, run = parts
    return f"{server}/{repository}/actions/runs/{quote(str(run))}"


def _say(level: str, text: str) -> None:
    # A command ends with its line: the runner reads these escapes.
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    _print(f"::{level}::{escaped}" if "GITHUB_ACTIONS" in os.environ else text)


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _append(variable: str, text: str, without_runner: str) -> None:
    if path := os.environ.get(variable):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)
    else:
        _print(without_runner)
