"""The Pulumi CLI for the Automation API."""

from pulumi import automation

from alerting import pulumi_cli
from sandbox.state import SandboxError


def find_cli() -> automation.PulumiCommand:
    """The CLI to drive.

    Raises:
        SandboxError: when there is none.
    """
    try:
        command = pulumi_cli.find_cli()
    except pulumi_cli.NoPulumiCliError as error:
        raise SandboxError(str(error)) from None
    built = pulumi_cli.build_folder()
    # The Automation API knows a CLI by the folder above its bin, or takes the one on PATH.
    root = str(built) if command.is_relative_to(built) else None
    return automation.PulumiCommand(root=root, skip_version_check=True)
