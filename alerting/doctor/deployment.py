"""A stack as its file has it, and the services that it is deployed to, each asked once."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from alerting.adoption.workspace import Workspace, WorkspaceError, slug_of
from alerting.doctor.findings import NotMadeError
from alerting.doctor.prefect_api import PrefectApi
from alerting.plan import Plan, build_plan
from alerting.secrets.aws_client import secrets_manager_client
from alerting.secrets.declared import DeclaredSecret, declared_secrets
from alerting.secrets.errors import SecretsError
from alerting.secrets.prefect_blocks import KEY_VARIABLE, LOGIN_VARIABLES
from alerting.secrets.secrets_manager import SecretsManager
from alerting.settings import Settings
from alerting.settings.stackfile import StackFile, project_root, read_stack_file

Document = dict[str, Any]


@dataclass(frozen=True)
class Credential:
    """A variable that logs in to Prefect, and what it holds: None when it is not set."""

    variable: str
    value: SecretStr | None

    @property
    def text(self) -> str | None:
        """The value in plain."""
        return self.value.get_secret_value() if self.value else None


class Deployment:
    """One stack. What is asked of Prefect raises NotMadeError, of AWS SecretsError."""

    def __init__(self, file: Path, environment: Mapping[str, str]) -> None:
        """Look at the stack of a file, with the credentials that the environment holds."""
        self.file = file
        self._environment = environment

    @property
    def root(self) -> Path:
        """The project's folder."""
        return project_root(self.file.resolve().parent)

    @cached_property
    def found(self) -> StackFile:
        """The stack's file. Raises SettingsError."""
        return read_stack_file(self.file)

    @property
    def settings(self) -> Settings:
        """The stack's settings."""
        return self.found.settings

    @cached_property
    def plan(self) -> Plan:
        """What the stack is to consist of."""
        return build_plan(self.settings, self.found.stack)

    @property
    def deploy(self) -> str:
        """The command that makes what was lost: without --refresh the state is believed."""
        return f"pulumi up --refresh --stack {self.found.stack}"

    @cached_property
    def credential(self) -> Credential:
        """What logs in to the stack's Prefect."""
        names = (KEY_VARIABLE,) if self.settings.prefect.is_cloud else LOGIN_VARIABLES
        name = next(filter(self._environment.get, names), names[0])
        value = self._environment.get(name)
        return Credential(name, SecretStr(value) if value else None)

    @cached_property
    def prefect(self) -> PrefectApi:
        """The workspace's API."""
        return PrefectApi(self.settings.prefect.endpoint, *self._login)

    @cached_property
    def blocks(self) -> Mapping[str, Document]:
        """The plan's blocks that there are, by slug."""
        try:
            found = self._workspace.blocks(rule.slug for rule in self.plan.blocks)
        except WorkspaceError as error:
            raise NotMadeError(str(error)) from None
        return {slug_of(block): block for block in found}

    @cached_property
    def automations(self) -> list[Document]:
        """Every automation of the workspace."""
        try:
            return self._workspace.all_automations()
        except WorkspaceError as error:
            raise NotMadeError(str(error)) from None

    @cached_property
    def secrets(self) -> list[DeclaredSecret]:
        """The stack's secrets."""
        return declared_secrets(self.found)

    @cached_property
    def secrets_manager(self) -> SecretsManager:
        """Where they are stored."""
        return SecretsManager(secrets_manager_client(self.found.aws))

    def value(self, secret: DeclaredSecret) -> SecretStr | None:
        """What Secrets Manager holds; None when it holds nothing that can be read."""
        if secret.key not in self._values:
            try:
                self._values[secret.key] = self.secrets_manager.current(secret.name)
            except SecretsError:
                self._values[secret.key] = None
        return self._values[secret.key]

    @cached_property
    def _values(self) -> dict[str, SecretStr | None]:
        return {}

    @cached_property
    def _workspace(self) -> Workspace:
        return Workspace(self.settings.prefect.endpoint, *self._login)

    @property
    def _login(self) -> tuple[str | None, str | None]:
        """Cloud's key, and a server's user and password: one of the two."""
        text = self.credential.text
        return (text, None) if self.settings.prefect.is_cloud else (None, text)
