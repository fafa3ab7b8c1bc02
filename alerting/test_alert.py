"""A flow that fails on purpose, to see that alerts arrive: `python -m alerting.test_alert`.

Each of its runs is a failure like any other and counts towards the critical tier.
"""

from typing import Annotated

import httpx
import typer
from prefect import State, flow, get_client, tags
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from prefect.utilities.urls import url_for

from alerting.redaction import redact

FAILURE = "This is a test failure - ignore"
HEALTH_SECONDS = 10.0
EXIT_OTHER_END = 1
EXIT_UNREACHABLE = 2


class IntendedError(Exception):
    """What the test flow raises."""


class UnreachableError(Exception):
    """Prefect's API is not configured, does not answer or refuses; the text says what to do."""


@flow(name="test-alert")
def test_alert_flow() -> None:
    """Fail on purpose."""
    raise IntendedError(FAILURE)


def run_test_alert(tag: str) -> State[None]:
    """Run the test flow once, with the tag, and return how it ended; raise UnreachableError."""
    if not PREFECT_API_URL.value():
        # Prefect would start a server of its own, which has no automations.
        raise UnreachableError("PREFECT_API_URL is not set. Set it to the API the stack is in.")
    with (
        temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}),
        get_client(httpx_settings={"timeout": HEALTH_SECONDS}, sync_client=True) as client,
    ):
        problem = client.api_healthcheck()
    if problem:
        raise _unreachable(problem)
    try:
        # `@flow` takes no tags.
        with tags(tag):
            return test_alert_flow(return_state=True)
    except httpx.HTTPError as error:
        raise _unreachable(error) from None


def failed_as_intended(state: State[None]) -> bool:
    """Whether the run failed, and for the reason it was made for."""
    return state.is_failed() and FAILURE in (state.message or "")


def main(
    tag: Annotated[str, typer.Option(help="The tag that the stack's automations watch.")] = "dlt",
) -> None:
    """Run a flow that fails on purpose.

    Exits 0 when it failed as intended, 1 when it ended otherwise, 2 when Prefect is unreachable.
    """
    if not tag.strip():
        raise typer.BadParameter("expected the tag that the stack's automations watch")
    typer.echo("Running test-alert. The error that Prefect logs now is intended.")
    try:
        state = run_test_alert(tag)
    except UnreachableError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_UNREACHABLE) from None
    run = url_for("flow-run", state.state_details.flow_run_id)
    if not failed_as_intended(state):
        typer.echo(f"test-alert was to fail and ended in {state.name}: {run}", err=True)
        raise typer.Exit(EXIT_OTHER_END)
    typer.echo(
        f"test-alert failed as intended: {run}\n"
        "Look for `Pipeline failed: test-alert` in the channels of the warning tier, within "
        f"seconds. If it does not come, is the automation enabled, and does it watch tag {tag}?"
    )


def _unreachable(error: Exception) -> UnreachableError:
    reason = redact(str(error) or type(error).__name__)
    return UnreachableError(
        f"Prefect cannot be reached at {redact(PREFECT_API_URL.value())}: {reason}\n"
        "Is the address right, and the API key?"
    )


if __name__ == "__main__":
    typer.run(main)
