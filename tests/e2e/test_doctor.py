"""`alertctl doctor` at a stack that is broken in one way at a time: the cause comes first."""

import os
from collections.abc import Iterator

import pytest

from sandbox.environment import base_environment
from sandbox.state import SandboxState
from tests.e2e.broken_stacks import BROKEN, Break
from tests.e2e.doctors_team import Team, start_password_server
from tests.e2e.live import deployed

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def team(sandbox: SandboxState) -> Iterator[Team]:
    """The stack with a sentinel, in good health."""
    with deployed(sandbox, sentinel={"silentFor": "10s"}) as live:
        live.start_sentinel()
        server = start_password_server(sandbox)
        live.wait_until_followed()
        variables: dict[str, str | None] = {
            # Of what the developer has, nothing may lead out of the sandbox.
            **dict.fromkeys(os.environ.keys() - base_environment().keys()),
            **live.stack.engine_environment(),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_CONFIG_FILE": os.devnull,
        }
        yield Team(live, server, variables)


@pytest.mark.parametrize(
    ("broken", "check", "text"), BROKEN, ids=[each.__name__ for each, _, _ in BROKEN]
)
def test_the_cause_is_named_first_with_a_remedy(
    team: Team, broken: Break, check: str, text: str
) -> None:
    with broken(team):
        exit_code, (first, *_) = team.doctor()
    assert (exit_code, first["check"], first["verdict"]) == (1, check, "wrong"), first
    assert text in first["text"]
    assert first["remedy"]


def test_a_stack_that_was_mended_is_in_good_health(team: Team) -> None:
    exit_code, findings = team.doctor()
    wrong = [each for each in findings if each["verdict"] != "good"]
    assert [each["check"] for each in wrong] == ["packages"]  # nothing is locked in the sandbox
    assert exit_code == 0
