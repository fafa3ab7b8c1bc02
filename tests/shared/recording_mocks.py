"""Runs the Pulumi program as Pulumi does, with an engine and providers that only take notes."""

import asyncio
import json
import runpy
from collections.abc import Collection, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pulumi
from pulumi.runtime import rpc, set_all_config, set_mocks
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.proto import resource_pb2, source_pb2
from pulumi.runtime.settings import SETTINGS, get_root_resource, set_root_resource
from pulumi.runtime.stack import Stack, run_pulumi_func
from ruamel.yaml import YAML

from alerting.adoption.things import Found
from tests.shared.example_stack import raw_settings

PROJECT_FOLDER = Path(__file__).parents[2]

AWS = "pulumi:providers:aws"
PREFECT = "pulumi:providers:prefect"
SECRET = "aws:secretsmanager/secret:Secret"
SECRET_VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
BLOCK = "prefect:index/block:Block"
AUTOMATION = "prefect:index/automation:Automation"
SECRET_STORE = "data-alerts:secrets:SecretStore"
NOTIFICATION_CHANNELS = "data-alerts:channels:NotificationChannels"
ALERT_AUTOMATIONS = "data-alerts:automations:AlertAutomations"
STACK = "pulumi:pulumi:Stack"

GET_SECRET = "aws:secretsmanager/getSecret:getSecret"
GET_SECRETS = "aws:secretsmanager/getSecrets:getSecrets"
GET_SECRET_VERSION = "aws:secretsmanager/getSecretVersion:getSecretVersion"
READ_STACK_OUTPUTS = "pulumi:pulumi:readStackOutputs"

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"

FAKE_WEBHOOK = "https://hooks.slack.com/services/T00000000/B00000000/FAKEFAKEFAKE"
FAKE_ROUTING_KEY = "fake0routing0key0of0thirty0chars"


@dataclass(frozen=True)
class Registered:
    """A resource as the program registered it. Secret inputs are wrapped; see `secret_of`."""

    token: str
    name: str
    inputs: Mapping[str, Any]
    parent: str
    provider: str
    protect: bool
    import_id: str
    ignore_changes: tuple[str, ...]
    aliases: tuple[str, ...]
    """Names that it had before."""
    dependencies: tuple[str, ...]
    """URNs of the resources that are made first."""


def secret_of(value: object) -> object:
    """What a secret input holds. Fails when it is not secret."""
    assert isinstance(value, dict), "is in plain text"
    assert value.get(SIGNATURE) == SECRET_SIGNATURE, "is in plain text"
    return value["value"]


@dataclass
class RecordingMocks(Mocks):
    """Takes note of what the program registers and asks for.

    `in_aws` are the values of the secrets in AWS, by name; None is an empty secret. Those that are
    `not_listed` are filled by somebody only after the program looked for them. `tags` are those
    that secrets have, by name. `in_prefect` is what is in the workspace, and `deployed` what the
    last deployment put out. The first `unreadable` looks at that find it half written.
    """

    in_aws: Mapping[str, str | None] = field(default_factory=dict)
    refusal: str | None = None
    not_listed: Collection[str] = ()
    tags: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    in_prefect: Sequence[Found] = ()
    deployed: Mapping[str, Any] = field(default_factory=dict)
    unreadable: int = 0
    resources: list[Registered] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        state = dict(args.inputs)
        if args.typ == SECRET:
            state["arn"] = arn_of(args.inputs["name"])
            return state["arn"], state
        return f"{args.name}-id", state

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        if args.token == READ_STACK_OUTPUTS:
            if self.unreadable:
                self.unreadable -= 1
                raise RuntimeError("failed to load checkpoint: EOF")
            return {**args.args, "outputs": self.deployed}, []
        self.calls.append((args.token, args.args, args.provider))
        if args.token == GET_SECRETS:
            # As AWS does, which takes the filter for the start of a name.
            starts = tuple(args.args["filters"][0]["values"])
            found = [
                arn_of(n) for n in self.in_aws if n.startswith(starts) and n not in self.not_listed
            ]
            return {"arns": found, "names": [], "filters": args.args["filters"]}, []
        if args.token == GET_SECRET:
            name = next(name for name in self.in_aws if arn_of(name) == args.args["arn"])
            return {**args.args, "name": name, "tags": self.tags.get(name, {})}, []
        assert args.token == GET_SECRET_VERSION
        if self.refusal:
            raise RuntimeError(self.refusal)
        value = {arn_of(name): value for name, value in self.in_aws.items()}[args.args["secretId"]]
        if value is None:
            raise RuntimeError("ResourceNotFoundException: can't find the value AWSCURRENT")
        return {"secretString": value, "secretId": args.args["secretId"]}, []

    def of(self, token: str) -> list[Registered]:
        """All resources of a type, in the order in which they were registered."""
        return [resource for resource in self.resources if resource.token == token]

    def one(self, token: str, name: str) -> Registered:
        """The one resource of a type and name."""
        (found,) = (resource for resource in self.of(token) if resource.name == name)
        return found


class _Monitor(MockMonitor):
    """Passes on what Pulumi's own mocks keep to themselves."""

    mocks: RecordingMocks

    def RegisterResource(  # noqa: N802 - the name of the call
        self, request: resource_pb2.RegisterResourceRequest
    ) -> resource_pb2.RegisterResourceResponse:
        self.mocks.resources.append(
            Registered(
                token=request.type,
                name=request.name,
                inputs=rpc.deserialize_properties(request.object),
                parent=request.parent,
                provider=request.provider,
                protect=request.protect,
                import_id=request.importId,
                ignore_changes=tuple(request.ignoreChanges),
                aliases=tuple(alias.spec.name for alias in request.aliases),
                dependencies=tuple(request.dependencies),
            )
        )
        response: resource_pb2.RegisterResourceResponse
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        return response


def run_program(
    mocks: RecordingMocks,
    stack: str,
    config: Mapping[str, str],
    secret_keys: Sequence[str] = (),
) -> RecordingMocks:
    """Run the program to its end, or until it raises, and return the mocks with their notes."""
    # A loop and a root of its own for each run, since both outlive the run they were made for.
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        asyncio.set_event_loop(loop)
        # Outputs that fail with the program are left behind, and would be reported when they go.
        loop.set_exception_handler(lambda *_: None)
        SETTINGS.rpc_manager.clear()
        SETTINGS.outputs.clear()
        set_root_resource(None)  # type: ignore[arg-type] # what it is before the first run
        set_all_config(dict(config), list(secret_keys))
        set_mocks(mocks, "data-alerts", stack, preview=False, monitor=_Monitor(mocks))
        mocks.outputs = runner.run(_run(mocks), context=copy_context())
    return mocks


async def _run(mocks: RecordingMocks) -> dict[str, Any]:
    """Run the program as Pulumi does, which is by the path of its folder. Return its outputs."""

    def program() -> None:
        runpy.run_path(str(PROJECT_FOLDER / "infra"))

    with (
        patch("infra.preflight.found_in_prefect", lambda _: list(mocks.in_prefect)),
        # Where in the code each resource is made: a fifth of the time, through all of pytest.
        patch("pulumi.runtime.resource._get_stack_trace", source_pb2.StackTrace),
    ):
        await run_pulumi_func(program)
    root = get_root_resource()
    assert isinstance(root, Stack)
    return await pulumi.Output.all(**root.outputs).future() or {}


def arn_of(name: str) -> str:
    """An ARN as AWS makes it, with six characters of its own at the end."""
    return f"arn:aws:secretsmanager:eu-west-1:000000000000:secret:{name}-a1B2c3"


def config_of_file(stack: str) -> dict[str, str]:
    """A stack file's configuration as Pulumi hands it over, with fakes for what is encrypted."""
    document = YAML(typ="safe").load(PROJECT_FOLDER / f"Pulumi.{stack}.yaml")
    return as_pulumi_hands_over(document["config"])


def config_of(**changes: object) -> dict[str, str]:
    """The example's configuration as Pulumi hands it over, some top-level keys replaced."""
    settings = {f"data-alerts:{key}": value for key, value in raw_settings(**changes).items()}
    return as_pulumi_hands_over({"aws:region": "eu-west-1", **settings})


def as_pulumi_hands_over(config: Mapping[str, Any]) -> dict[str, str]:
    """Text as itself and everything else as JSON."""
    return {
        key: value if isinstance(value, str) else json.dumps(_decrypted(value))
        for key, value in config.items()
    }


def _decrypted(value: Any) -> Any:  # noqa: ANN401 - any configuration
    if isinstance(value, dict):
        if set(value) == {"secure"}:
            return FAKE_WEBHOOK
        return {key: _decrypted(inner) for key, inner in value.items()}
    return [_decrypted(inner) for inner in value] if isinstance(value, list) else value


def as_api_action(action: dict[str, Any]) -> dict[str, Any]:
    """The provider's action as Prefect's API has it."""
    names = {"blockDocumentId": "block_document_id", "automationId": "automation_id"}
    return {names.get(key, key): value for key, value in action.items()}


def as_api_document(trigger: dict[str, Any]) -> dict[str, Any]:
    """The provider's trigger as Prefect's API has it, which the provider is known to send."""
    if "compound" in trigger:
        compound = trigger["compound"]
        children = [as_api_document(child) for child in compound["triggers"]]
        return {"type": "compound", **compound, "triggers": children}
    event = trigger["event"]
    return {
        "type": "event",
        "posture": event["posture"],
        "expect": sorted(event["expects"]),
        "after": sorted(event.get("afters", [])),
        "for_each": sorted(event.get("forEaches", [])),
        "match": json.loads(event["match"]),
        "match_related": json.loads(event["matchRelated"]),
        "threshold": event["threshold"],
        "within": event["within"],
    }
