"""Deployments that are killed, or whose Prefect server fails: the next one puts it right."""

import pytest

from sandbox.soak import deployments
from sandbox.state import SandboxState

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


def test_the_deployment_after_an_interrupted_one_converges_and_doubles_nothing(
    sandbox: SandboxState,
) -> None:
    report = deployments.soak(sandbox, kills=10, failures=10, seed=1, say=print)
    assert report.passed, str(report)
    assert report.failed > 0
