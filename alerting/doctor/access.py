"""Whether a stack's file, Prefect, AWS and the state can be come by at all."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from alerting.doctor.deployment import Deployment
from alerting.doctor.findings import NotMadeError, Trouble
from alerting.doctor.prefect_api import PrefectUnavailableError
from alerting.pulumi_cli import NoPulumiCliError, find_cli
from alerting.redaction import redact
from alerting.secrets.errors import SecretsError
from alerting.settings import SettingsError
from alerting.settings.encrypted import credential_problem

MOST_AHEAD = timedelta(seconds=10)
BACKEND_SECONDS = 30.0
_LONGEST = 240
_ANYTHING = {"limit": 1}


class _NoAnswerError(Exception):
    """The CLI failed; the text is its own."""


def stack_file(deployment: Deployment) -> Iterator[Trouble]:
    """Every mistake in the stack's file."""
    try:
        deployment.found  # noqa: B018 - it reads the file
    except SettingsError as error:
        for line in error.lines():
            yield Trouble(line, "mend it; `alertctl check` reads it again")


def prefect_credentials(deployment: Deployment) -> Iterator[Trouble]:
    """A variable that is missing, or that no header can carry."""
    declared, credential = deployment.settings.prefect, deployment.credential
    if credential.text:
        if problem := credential_problem(credential.text):
            yield Trouble(f"{credential.variable} {problem}", "set it anew")
    elif declared.is_cloud or declared.basic_auth_key:
        yield Trouble(
            f"{credential.variable} is not set",
            "set it as for a deployment; what the stack's file holds encrypted is not read",
        )


def prefect_answers(deployment: Deployment) -> Iterator[Trouble]:
    """A server that does not answer, refuses, or is none of Prefect's."""
    try:
        reply = deployment.prefect.filter("/automations/filter", _ANYTHING)
    except PrefectUnavailableError as error:
        yield error.trouble
        return
    if not isinstance(reply.document, list):
        yield Trouble("the endpoint is no Prefect API", "mend data-alerts:prefect.endpoint")


def clocks_agree(deployment: Deployment) -> Iterator[Trouble]:
    """A clock that AWS refuses, and by which a drill's or heartbeat's age is wrong."""
    ahead = deployment.prefect.filter("/automations/filter", _ANYTHING).ahead
    if ahead is None:
        raise NotMadeError("the server does not say what time it is")
    if abs(ahead) > MOST_AHEAD:
        seconds = abs(ahead).total_seconds()
        direction = "ahead of" if ahead > timedelta(0) else "behind"
        yield Trouble(
            f"the clock of Prefect's server is {seconds:.0f} s {direction} this machine's",
            "set both by NTP: AWS refuses requests of a wrong time, and escalations come late",
        )


def aws_answers(deployment: Deployment) -> Iterator[Trouble]:
    """No credentials, credentials that AWS refuses, or no AWS at all."""
    if not deployment.secrets:
        raise NotMadeError("the stack has no secrets")
    try:
        deployment.secrets_manager.stored(deployment.secrets[0].name)
    except SecretsError as error:
        yield Trouble.of(error, "log in as for a deployment")


def backend_answers(deployment: Deployment) -> Iterator[Trouble]:
    """No CLI, no login, a backend that does not answer, or one without the stack."""
    try:
        stacks = _asked(deployment.root, ["stack", "ls", "--json"])
    except NoPulumiCliError as error:
        yield Trouble.of(error, "run `make setup`")
        return
    except _NoAnswerError as error:
        remedy = "check PULUMI_BACKEND_URL and its credentials, or run `pulumi login`"
        yield Trouble(f"the state's backend cannot be used: {error}", remedy)
        return
    name = deployment.found.stack
    # In Pulumi Cloud the organisation goes before.
    if name not in {each["name"].rpartition("/")[2] for each in json.loads(stacks)}:
        yield Trouble(
            f"the backend has no stack {name}",
            f"check PULUMI_BACKEND_URL. Where the state is lost: pulumi stack init {name}, then "
            "deploy, which takes over what it had made (docs/adoption.md)",
        )


def _asked(root: Path, arguments: Sequence[str]) -> str:
    """What the Pulumi CLI answers. Raises NoPulumiCliError, and _NoAnswerError."""
    try:
        answer = subprocess.run(  # noqa: S603 - the CLI that PATH names
            [str(find_cli()), *arguments, "--non-interactive"],
            cwd=root,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=BACKEND_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise _NoAnswerError(f"no answer within {BACKEND_SECONDS:.0f} s") from None
    if answer.returncode == 0:
        return answer.stdout
    lines = (line.removeprefix("error:").strip() for line in answer.stderr.splitlines())
    said = redact(next((line for line in lines if line), "no reason given"))
    # The CLI says the cause last.
    raise _NoAnswerError(said if len(said) <= _LONGEST else f"...{said[3 - _LONGEST :]}")
