"""The stack `sandbox`, deployed by the real engine into a sandbox's services.

The Automation API runs the program in this process, the way Pulumi's language host would.
"""

import os
import runpy
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from pulumi import automation
from pulumi.runtime import _grpc_settings
from ruamel.yaml import YAML

from alerting.plan import Plan, build_plan
from alerting.settings import SecretSource, Settings
from alerting.settings.stackfile import read_stack_file
from sandbox.capture.channels import register_channels
from sandbox.credentials import AWS_ACCESS_KEY, PASSPHRASE, fake_secrets
from sandbox.processes import MARK
from sandbox.pulumi_cli import find_cli
from sandbox.state import SandboxState

STACK = "sandbox"
REPOSITORY = Path(__file__).resolve().parent.parent
STAND_INS = Path(__file__).resolve().parent / "plugins" / "bin"

# Connections of this process are shared by address. One to an engine that is gone is tried again
# for minutes, and the next engine that gets the same port would be refused with it.
_grpc_settings._GRPC_CHANNEL_OPTIONS.append(  # noqa: SLF001 the options have no public name
    ("grpc.use_local_subchannel_pool", 1)
)

Configure = Callable[[dict[str, Any]], None]
"""Changes a stack's configuration, as read from its file, before it is deployed."""


class _Workspace(automation.LocalWorkspace):
    """A workspace that does not ask the CLI for the outputs, twice, after each deployment."""

    stored_outputs = automation.LocalWorkspace.stack_outputs

    def stack_outputs(self, stack_name: str) -> automation.OutputMap:
        """None; `stored_outputs` has them."""
        del stack_name
        return {}


class SandboxStack:
    """Deploys `Pulumi.sandbox.yaml`, or another stack's file, to one sandbox."""

    def __init__(
        self,
        state: SandboxState,
        *,
        stack_file: Path = REPOSITORY / "Pulumi.sandbox.yaml",
        configure: Configure | None = None,
        secrets: Mapping[str, str] | None = None,
        name: str = STACK,
    ) -> None:
        """Prepare a copy of the project: deploying writes into the stack's file.

        `configure` changes the configuration; `secrets` go over the sandbox's fakes; `name` is
        the stack's.
        """
        self._state = state
        self._work_folder = state.folder / "stack"
        self.name = name
        self.stack_file = self._work_folder / f"Pulumi.{name}.yaml"
        self._original = stack_file
        self._prepare(configure)
        self.secrets = {**fake_secrets(self.plan, state.folder), **(secrets or {})}
        self.provide_secrets()

    @cached_property
    def settings(self) -> Settings:
        """The settings as deployed."""
        return read_stack_file(self.stack_file).settings

    @cached_property
    def plan(self) -> Plan:
        """The plan as deployed."""
        return build_plan(self.settings, self.name)

    def up(self, on_output: Callable[[str], object] | None = None) -> automation.UpResult:
        """Deploy. Raises CommandError, as the methods below do, when the engine refuses."""
        with self.program_environment():
            return self.stack.up(on_output=on_output, color="never", show_secrets=False)

    def up_timed(self) -> str:
        """Deploy, and say in a line what that changed and how long it took."""
        start = time.monotonic()
        changes = self.up().summary.resource_changes or {}
        changed = sum(count for kind, count in changes.items() if kind != automation.OpType.SAME)
        return f"{changed} of {sum(changes.values())} resources in {time.monotonic() - start:.1f} s"

    def preview(
        self, *, policies: bool = False, policy_config: Path | None = None
    ) -> automation.PreviewResult:
        """Show what `up` would do; with `policies`, held to the policy pack, by its config."""
        packs = [str(REPOSITORY / "policy")] if policies else None
        configs = [str(policy_config)] if policy_config else None
        with self.program_environment():
            return self.stack.preview(
                color="never", policy_packs=packs, policy_pack_configs=configs
            )

    def destroy(self) -> None:
        """Remove all that the stack made, as `pulumi destroy` does."""
        # The Automation API would ask the CLI once more, for a summary that nobody reads. Its stack
        # is one that there is: the CLI removes nothing of a stack that was never made.
        self._workspace.pulumi_command.run(
            ["destroy", "--yes", "--skip-preview", "--color", "never", "--stack", self.stack.name],
            str(self._work_folder),
            self._workspace.env_vars,
        )

    @cached_property
    def stack(self) -> automation.Stack:
        """The stack in the Automation API, made on first use."""
        return automation.Stack.create_or_select(self.name, self._workspace)

    @cached_property
    def _workspace(self) -> _Workspace:
        return _Workspace(
            work_dir=str(self._work_folder),
            program=run_program,
            pulumi_command=find_cli(),
            env_vars=self.engine_environment(),
            secrets_provider="passphrase",
        )

    def outputs(self) -> automation.OutputMap:
        """The stack's outputs, as stored."""
        return self._workspace.stored_outputs(self.name)

    def put_secret(self, name: str, value: str) -> None:
        """Put a value into Secrets Manager out of band, as a platform engineer would."""
        client = boto3.client(
            "secretsmanager",
            endpoint_url=self._state.moto_url,
            region_name="eu-west-1",
            aws_access_key_id=AWS_ACCESS_KEY,
            aws_secret_access_key=AWS_ACCESS_KEY,
            config=Config(proxies={}),
        )
        try:
            client.create_secret(Name=name, SecretString=value)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceExistsException":
                raise
            client.put_secret_value(SecretId=name, SecretString=value)

    def _prepare(self, configure: Configure | None) -> None:
        self._work_folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(REPOSITORY / "Pulumi.yaml", self._work_folder / "Pulumi.yaml")
        program = self._work_folder / "infra"
        if not program.exists():
            program.symlink_to(REPOSITORY / "infra")
        yaml = YAML()
        document = yaml.load(self._original)
        config = document["config"]
        config.update(self._addresses())
        config["data-alerts:prefect"] = {"endpoint": self._state.prefect_api_url}
        if configure:
            configure(config)
        with self.stack_file.open("w", encoding="utf-8") as file:
            yaml.dump(document, file)

    def _addresses(self) -> dict[str, object]:
        """The configuration by which the vendor's AWS plugin finds moto, too."""
        return {
            "aws:endpoints": [{"secretsmanager": self._state.moto_url}],
            "aws:accessKey": AWS_ACCESS_KEY,
            "aws:secretKey": AWS_ACCESS_KEY,
            "aws:skipCredentialsValidation": True,
            "aws:skipMetadataApiCheck": True,
            "aws:skipRequestingAccountId": True,
        }

    def provide_secrets(self) -> None:
        """Fill what a team fills out of band; a stack that is destroyed takes it along."""
        settings, plan = self.settings, self.plan
        channels = {
            self.secrets[channel.secret]: name
            for name, channel in settings.channels.items()
            if channel.secret
        }
        register_channels(self._state.folder, channels)
        for rule in plan.secrets:
            if settings.secrets[rule.key].source is SecretSource.SECRETS_MANAGER:
                self.put_secret(rule.name, self.secrets[rule.key])

    def engine_environment(self) -> dict[str, str]:
        """The variables by which the engine finds its state and, for the sandbox, its plugins."""
        folder = self._state.folder
        state_folder, home = folder / "pulumi-state", folder / "pulumi-home"
        for each in (state_folder, home):
            each.mkdir(exist_ok=True)
        # The engine writes every property into a log of its own in there, at a third of its time.
        # It does without where the folder cannot be made, and no other setting turns it off.
        (home / "logs").touch()
        environment = {
            MARK: str(folder),
            "DATA_ALERTS_PYTHON": sys.executable,
            # The CLI fills dictionaries at each start, and collects garbage meanwhile.
            "GOGC": "400",
            "NO_PROXY": "127.0.0.1,localhost",
            "PULUMI_BACKEND_URL": f"file://{state_folder}",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_HOME": str(home),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        if os.environ.get("SANDBOX_PLUGINS") != "vendor":
            environment["PATH"] = f"{STAND_INS}{os.pathsep}{os.environ['PATH']}"
        return environment

    @contextmanager
    def program_environment(self) -> Iterator[None]:
        """Fill the variables of `from: env`, as a CI step would, while the program runs."""
        variables = {rule.variable: self.secrets[rule.key] for rule in self.plan.secrets}
        before = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)
        try:
            yield
        finally:
            _restore(before)


def run_program() -> None:
    """Run the Pulumi program the way the language host does: its folder, as __main__."""
    runpy.run_path(str(REPOSITORY / "infra"), run_name="__main__")


def _restore(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
