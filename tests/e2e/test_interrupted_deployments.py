"""Deployments that are killed, or whose Prefect server fails: the next one puts it right."""

from typing import Any

import pytest

from sandbox.soak import deployments
from sandbox.state import SandboxState

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


def small(config: dict[str, Any]) -> None:
    """A stack of half as many resources takes half the time; `make soak` deploys the whole."""
    config["data-alerts:evaluation"] = "triggers"
    for key in ("sentinel", "noise"):
        del config[f"data-alerts:{key}"]


def test_the_deployment_after_an_interrupted_one_converges_and_doubles_nothing(
    sandbox: SandboxState,
) -> None:
    report = deployments.soak(sandbox, kills=10, failures=10, seed=1, say=print, configure=small)
    assert report.passed, str(report)
    assert report.failed > 0
