"""A repository with three stacks that deploy to one sandbox, and a GitHub to run its workflows."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from alerting.plan import build_plan
from alerting.pulumi_cli import find_cli
from alerting.settings import SecretSource
from alerting.settings.stackfile import read_stack_file
from sandbox.capture.channels import register_channels
from sandbox.credentials import AWS_ACCESS_KEY, fake_secrets
from sandbox.environment import base_environment
from sandbox.processes import MARK
from sandbox.services import start_sentinel
from sandbox.soak.sentinel import end_sentinels
from sandbox.stack import STAND_INS
from sandbox.state import SandboxState
from tests.e2e.in_services import aws
from tests.e2e.workflow_player import Job, Runner
from tests.shared.fake_github import REPOSITORY, TOKEN, FakeGitHub
from tests.shared.workflows import REPOSITORY as ROOT
from tools.ci.credentials import secret_name, state_variables, variables

STACKS = ("dev", "staging", "prod")
PASSPHRASE = "a-passphrase-of-the-test"
PULL_REQUEST = 7
_CREDENTIALS = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), AWS_ACCESS_KEY)
# What is the machine's own, or is written to.
_NOT_CHECKED_OUT = {
    *(".git", ".venv", "ci-reports", "scenarios"),
    *(f"Pulumi.{stack}.yaml" for stack in STACKS),
}


@dataclass
class Pipeline:
    """One repository on its way to production."""

    sandbox: SandboxState
    folder: Path
    github: FakeGitHub
    api_url: str
    secrets: dict[str, str] = field(default_factory=dict)
    """Every secret value of every stack, by its name in Secrets Manager."""
    channels: dict[str, str] = field(default_factory=dict)
    """The channel that each webhook and key is of."""

    def __post_init__(self) -> None:
        self.checkout = self.folder / "checkout"
        self.checkout.mkdir()
        for entry in ROOT.iterdir():
            if entry.name in _NOT_CHECKED_OUT:
                continue
            if entry.is_dir():
                (self.checkout / entry.name).symlink_to(entry)
            else:
                shutil.copy(entry, self.checkout)
        self._take_scenarios()
        self._install()
        self.environment = self._environment()
        for stack in STACKS:
            self._write_stack_file(stack)
            self.pulumi("stack", "init", stack)
            self.channels |= self._put_secrets(stack)
        register_channels(self.sandbox.folder, self.channels)

    def _take_scenarios(self) -> None:
        """Those of the stacks' tiers: each preview plays what is there, and pytest plays all."""
        tiers = Path("scenarios", "tiers")
        # A copy: what a link below the folder leads to is not looked through.
        shutil.copytree(ROOT / tiers, self.checkout / tiers)

    def start_sentinels(self) -> None:
        """Start what each stack's drill is answered by."""
        end_sentinels(self.sandbox.folder)
        for stack in STACKS:
            prefix = read_stack_file(self.checkout / f"Pulumi.{stack}.yaml").settings.name_prefix
            start_sentinel(self.sandbox.folder, self.sandbox.prefect_api_url, prefix)

    def runner(self, event_name: str, **context: Any) -> Runner:  # noqa: ANN401 - JSON
        """What runs the workflows for an event; `context` goes into `github`."""
        event_file = self.folder / "event.json"
        event_file.write_text(json.dumps(context.get("event", {})))
        sha = str(context.get("sha", ""))
        return Runner(
            checkout=self.checkout,
            environment=self.environment
            | {
                "GITHUB_API_URL": self.api_url,
                "GITHUB_EVENT_NAME": event_name,
                "GITHUB_EVENT_PATH": str(event_file),
                "GITHUB_REPOSITORY": REPOSITORY,
                "GITHUB_RUN_ID": "1",
                "GITHUB_SERVER_URL": "https://github.com",
                "GITHUB_SHA": sha,
            },
            actions=self._actions(),
            github={"token": TOKEN, **context},
            variables=lambda environment: {
                "AWS_ROLE_ARN": f"arn:aws:iam::000000000000:role/data-alerts-{environment}",
                "PULUMI_BACKEND_URL": self.environment["PULUMI_BACKEND_URL"],
            },
            scratch=self.folder,
        )

    def for_pull_request(self, head: str) -> Runner:
        pull = {"number": PULL_REQUEST, "user": {"login": "somebody"}}
        pull |= {"head": {"sha": head, "repo": {"full_name": REPOSITORY}}}
        pull |= {"base": {"repo": {"full_name": REPOSITORY}}}
        return self.runner("pull_request", event={"pull_request": pull})

    def configure(self, stack: str, change: Callable[[dict[str, Any]], None]) -> None:
        """Change a stack's file, as a commit would."""
        yaml = YAML()
        file = self.checkout / f"Pulumi.{stack}.yaml"
        document = yaml.load(file)
        change(document["config"])
        with file.open("w", encoding="utf-8") as opened:
            yaml.dump(document, opened)

    def pulumi(self, *arguments: str) -> str:
        """Run the CLI by hand, as somebody with all credentials."""
        answer = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.checkout,
            env=self.environment | _CREDENTIALS | {"PULUMI_CONFIG_PASSPHRASE": PASSPHRASE},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert answer.returncode == 0, answer.stdout
        return answer.stdout

    def rotate(self, stack: str, key: str, value: str, channel: str) -> str:
        """Give a pager's key a new value by hand, through a pipe, and return what was printed."""
        self.channels[value] = f"{stack}/{channel}"
        register_channels(self.sandbox.folder, self.channels)
        answer = subprocess.run(
            [
                sys.executable,
                "-m",
                "alerting.ctl",
                "secrets",
                "rotate",
                key,
                "--page",
                "--stack",
                stack,
            ],
            cwd=self.checkout,
            env=self.environment | _CREDENTIALS | self._variables(stack),
            input=value,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert answer.returncode == 0, answer.stdout
        return answer.stdout

    def remove(self) -> None:
        """Take down all that was deployed and put; prod's secrets are protected."""
        end_sentinels(self.sandbox.folder)
        for stack in STACKS:
            self.pulumi("state", "unprotect", "--all", "--yes", "--stack", stack)
            self.pulumi("destroy", "--yes", "--stack", stack)
        manager = aws(self.sandbox)
        listed = manager.list_secrets(IncludePlannedDeletion=True, MaxResults=100)
        for name in (secret["Name"] for secret in listed["SecretList"]):
            manager.restore_secret(SecretId=name)
            manager.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)

    def state(self) -> dict[str, bytes]:
        """Every file of the backend, and what is in it."""
        files = (self.folder / "pulumi-state").rglob("*")
        return {str(file): file.read_bytes() for file in files if file.is_file()}

    def _install(self) -> None:
        """Have this machine's packages in the checkout, and `make setup` find them there."""
        venv = self.checkout / ".venv"
        venv.mkdir()
        for entry in (ROOT / ".venv").iterdir():
            if entry.name != "installed":
                (venv / entry.name).symlink_to(entry)
        subprocess.run(
            "cat requirements-dev.txt pyproject.toml | sha256sum > .venv/installed",
            shell=True,
            cwd=self.checkout,
            check=True,
        )

    def _environment(self) -> dict[str, str]:
        home, state = self.folder / "pulumi-home", self.folder / "pulumi-state"
        home.mkdir()
        state.mkdir()
        (home / "logs").touch()  # see sandbox.stack: the engine's own log is slow
        path = [str(STAND_INS), str(find_cli().parent), os.environ["PATH"]]
        return base_environment() | {
            MARK: str(self.sandbox.folder),
            "DATA_ALERTS_PYTHON": sys.executable,
            "NO_PROXY": "127.0.0.1,localhost",
            "PATH": os.pathsep.join(path),
            "PULUMI_BACKEND_URL": f"file://{state}",
            "PULUMI_HOME": str(home),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def _write_stack_file(self, stack: str) -> None:
        """The example in the repository, but for the sandbox's services, which all share.

        Their names differ by the prefixes of the examples: prod has none.
        """
        (self.checkout / f"Pulumi.{stack}.yaml").write_bytes(
            (ROOT / f"Pulumi.{stack}.yaml").read_bytes()
        )
        self.configure(
            stack,
            lambda config: config.update(
                {
                    "aws:endpoints": [{"secretsmanager": self.sandbox.moto_url}],
                    "aws:skipCredentialsValidation": True,
                    "aws:skipMetadataApiCheck": True,
                    "aws:skipRequestingAccountId": True,
                    "data-alerts:prefect": {
                        "endpoint": self.sandbox.prefect_api_url,
                        "basicAuthKey": {"from": "env"},
                    },
                }
            ),
        )

    def _put_secrets(self, stack: str) -> dict[str, str]:
        """Put into Secrets Manager what a team would, and return the channel of each webhook."""
        file = self.checkout / f"Pulumi.{stack}.yaml"
        settings = read_stack_file(file).settings
        rules = build_plan(settings, stack).secrets
        fakes = fake_secrets(build_plan(settings, stack), self.folder / stack)
        values = {rule.variable: fakes[rule.key] for rule in rules}
        values |= {"PREFECT_BASIC_AUTH_KEY": f"{stack}:a-password-of-{stack}"}
        values |= {"PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}
        backend = self.environment["PULUMI_BACKEND_URL"]
        for variable in [*variables(settings), *state_variables(file, backend)]:
            self._put_secret(secret_name(stack, variable), values[variable])
        for rule in rules:
            if settings.secrets[rule.key].source is SecretSource.SECRETS_MANAGER:
                self._put_secret(rule.name, fakes[rule.key])
        used = {name: channel.secret for name, channel in settings.channels.items()}
        return {fakes[secret]: f"{stack}/{name}" for name, secret in used.items() if secret}

    def _variables(self, stack: str) -> dict[str, str]:
        """What a deployment of the stack takes from the environment."""
        file = self.checkout / f"Pulumi.{stack}.yaml"
        backend = self.environment["PULUMI_BACKEND_URL"]
        names = [*variables(read_stack_file(file).settings), *state_variables(file, backend)]
        return {name: self.secrets[secret_name(stack, name)] for name in names}

    def _put_secret(self, name: str, value: str) -> None:
        aws(self.sandbox).create_secret(Name=name, SecretString=value)
        self.secrets[name] = value

    def _actions(self) -> dict[str, Callable[[Job, Mapping[str, str]], None]]:
        """What stands for other people's actions."""

        def nothing(_job: Job, _given: Mapping[str, str]) -> None:
            """What it would install is there."""

        def assume_role(job: Job, given: Mapping[str, str]) -> None:
            assert given["role-to-assume"].startswith("arn:aws:iam::")
            job.environment |= {**_CREDENTIALS, "AWS_REGION": given["aws-region"]}

        def get_secrets(job: Job, given: Mapping[str, str]) -> None:
            assert job.environment["AWS_REGION"] == "eu-west-1"
            for line in given["secret-ids"].splitlines():
                variable, name = (part.strip() for part in line.split(","))
                found = aws(self.sandbox).get_secret_value(SecretId=name)
                job.environment[variable] = found["SecretString"]

        def upload(_job: Job, given: Mapping[str, str]) -> None:
            file = self.checkout / given["path"]
            head = given["name"].rpartition("-")[2]
            self.github.add_artifact(given["name"], head, {file.name: file.read_bytes()})

        return {
            "actions/checkout": nothing,
            "actions/setup-python": nothing,
            "actions/cache": nothing,
            "pulumi/actions": nothing,
            "actions/upload-artifact": upload,
            "aws-actions/configure-aws-credentials": assume_role,
            "aws-actions/aws-secretsmanager-get-secrets": get_secrets,
        }
