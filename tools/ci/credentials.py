"""Which credentials the deployment of a stack needs, as its file says.

Sets the outputs `region` and `secrets`. The latter is what aws-secretsmanager-get-secrets reads: a
line for each variable, with the secret in Secrets Manager that holds its value.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from ruamel.yaml import YAML

from alerting.settings import SecretSource, Settings, SettingsError
from alerting.settings.encrypted import FromEnv
from alerting.settings.secret_values import variable_of
from alerting.settings.stackfile import read_stack_file
from tools.ci.arguments import stack_argument
from tools.ci.runner import set_output


def variables(settings: Settings) -> Iterator[str]:
    """Each variable that the program reads."""
    if isinstance(settings.prefect.api_key, FromEnv):
        yield "PREFECT_API_KEY"
    if isinstance(settings.prefect.basic_auth_key, FromEnv):
        yield "PREFECT_BASIC_AUTH_KEY"
    for key, secret in settings.secrets.items():
        if secret.source is SecretSource.ENV:
            yield variable_of(key)


def state_variables(file: Path, backend: str) -> Iterator[str]:
    """Each variable by which the engine opens the state: of the stack's file, and the backend."""
    if not backend or backend.startswith("https://"):
        yield "PULUMI_ACCESS_TOKEN"
    # What a passphrase leaves in the file; with awskms:// the role itself is the key.
    if "encryptionsalt" in YAML(typ="safe").load(file):
        yield "PULUMI_CONFIG_PASSPHRASE"


def secret_name(stack: str, variable: str) -> str:
    """Where the value for CI is kept.

    Not under the name that the stack gives it: that secret is the stack's own, and is not there
    before the first deployment.
    """
    return f"data-alerts/ci/{stack}/{variable.lower().replace('_', '-')}"


def main() -> None:
    """Set the outputs. Exit code 2 when the stack's file is wrong."""
    stack = stack_argument(__doc__)
    file = Path(f"Pulumi.{stack}.yaml")
    try:
        found = read_stack_file(file)
    except SettingsError as error:
        sys.stderr.writelines(f"{line}\n" for line in error.lines())
        raise SystemExit(2) from None
    backend = os.environ.get("PULUMI_BACKEND_URL", "")
    needed = [*variables(found.settings), *state_variables(file, backend)]
    set_output("region", str(found.aws["region"]))
    set_output("secrets", "\n".join(f"{each}, {secret_name(stack, each)}" for each in needed))


if __name__ == "__main__":
    main()
