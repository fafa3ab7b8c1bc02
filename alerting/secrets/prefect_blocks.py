"""What Prefect's blocks hold."""

from collections.abc import Mapping

from pydantic import SecretStr

from alerting.adoption.workspace import Workspace, WorkspaceError
from alerting.plan.documents import held
from alerting.secrets.declared import BlockField
from alerting.secrets.errors import SecretsError
from alerting.settings.models import PrefectSettings

KEY_VARIABLE = "PREFECT_API_KEY"
LOGIN_VARIABLES = ("PREFECT_API_AUTH_STRING", "PREFECT_BASIC_AUTH_KEY")
"""Prefect's own, and the one that a deployment reads."""


class PrefectBlocks:
    """The blocks of the workspace that a stack deploys to."""

    def __init__(self, workspace: Workspace) -> None:
        """Use a workspace's API."""
        self._workspace = workspace

    def value(self, field: BlockField) -> SecretStr | None:
        """What a block's field holds; None when there is no such block.

        Raises SecretsError when Prefect does not answer, refuses, or hides the value.
        """
        try:
            found = self._workspace.blocks([str(field)])
        except WorkspaceError as error:
            raise SecretsError(
                f"{error} alertctl takes credentials from {KEY_VARIABLE} or {LOGIN_VARIABLES[0]}"
            ) from None
        if not found:
            return None
        data = found[0]["data"]
        there = held(data, field.field) if isinstance(data, dict) else None
        if not isinstance(there, str) or set(there) == {"*"}:
            raise SecretsError(
                f"Prefect hides what {field} holds: the credentials may not read blocks' secrets"
            )
        return SecretStr(there)


def workspace_of(prefect: PrefectSettings, environment: Mapping[str, str]) -> Workspace:
    """A stack's workspace, with the credentials that the environment holds."""
    key = environment.get(KEY_VARIABLE)
    logins = filter(None, map(environment.get, LOGIN_VARIABLES))
    return Workspace(prefect.endpoint, key, None if key else next(logins, None))
