"""What the Pulumi program declares, with a thing changed, as the engine shows it to policies."""

import copy
import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from pulumi_policy import (
    Policy,
    PolicyCustomTimeouts,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.deserialize import deserialize_properties
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from policy.pack import POLICIES
from tests.shared.recording_mocks import (
    AUTOMATION,
    BLOCK,
    FAKE_ROUTING_KEY,
    SECRET_SIGNATURE,
    SIGNATURE,
    RecordingMocks,
    Registered,
    config_of_file,
    run_program,
    secret_of,
)

_BY_NAME: Mapping[str, Policy] = {policy.name: policy for policy in POLICIES}
_KEY_NAME = "prefect/pagerduty-integration-key"


class PolicedStack:
    """The resources of one of the project's stacks, before any policy has seen them."""

    def __init__(self, stack: str, **settings: str) -> None:
        """Declare the stack as its file has it, but for some `data-alerts:` settings."""
        self._stack = stack
        self._resources = list(_declared(stack, tuple(settings.items())))
        self._inputs = [copy.deepcopy(dict(each.inputs)) for each in self._resources]
        self._protected = {self._urn(each): each.protect for each in self._resources}

    def change(self, token: str, name: str, **inputs: Any) -> None:  # noqa: ANN401 - any input
        """Declare a resource with other inputs."""
        self._inputs[self._index(token, name)] |= inputs

    def change_event(self, name: str, **fields: Any) -> None:  # noqa: ANN401 - any field
        """Declare an automation with another event trigger."""
        self._inputs[self._index(AUTOMATION, name)]["trigger"]["event"] |= fields

    def change_data(self, name: str, change: Callable[[dict[str, Any]], object]) -> None:
        """Declare a block with other data, secret as before."""
        inputs = self._inputs[self._index(BLOCK, name)]
        data = json.loads(str(secret_of(inputs["data"])))
        change(data)
        inputs["data"] = secret(json.dumps(data))

    def unprotect(self, token: str, name: str) -> None:
        """Declare a resource without protection."""
        self._protected[self._urn(self._resources[self._index(token, name)])] = False

    def remove(self, token: str, name: str) -> None:
        """Declare a resource no more."""
        index = self._index(token, name)
        del self._resources[index], self._inputs[index]

    def violations(self, policy: str) -> list[str]:
        """What a policy reports, each message once."""
        found: dict[str, None] = {}

        def report(message: str, _urn: str | None = None) -> None:
            found[message] = None

        checked = _BY_NAME[policy]
        if isinstance(checked, StackValidationPolicy):
            checked.validate(StackValidationArgs(self._shown_at_the_end()), report)
        elif isinstance(checked, ResourceValidationPolicy):
            for resource, inputs in zip(self._resources, self._inputs, strict=True):
                # As the engine does: for each resource the one, and then the other.
                checked.remediate(self._arguments(resource, inputs, with_secrets=True))
                checked.validate(self._arguments(resource, inputs), report)
        return list(found)

    def _arguments(
        self, resource: Registered, inputs: dict[str, Any], *, with_secrets: bool = False
    ) -> ResourceValidationArgs:
        return ResourceValidationArgs(
            resource.token,
            unknown_checking_proxy(deserialize_properties(inputs, with_secrets)),
            self._urn(resource),
            resource.name,
            self._options(resource),
            None,
        )

    def _shown_at_the_end(self) -> list[PolicyResource]:
        """All resources, those that an automation's actions name among its dependencies."""
        shown = [
            PolicyResource(
                resource.token,
                unknown_checking_proxy(deserialize_properties(inputs)),
                self._urn(resource),
                resource.name,
                self._options(resource),
                None,
                None,
                [],
                {},
            )
            for resource, inputs in zip(self._resources, self._inputs, strict=True)
        ]
        blocks = {f"{each.name}-id": each for each in shown if each.resource_type == BLOCK}
        for index, each in enumerate(shown):
            actions = self._inputs[index].get("actions", [])
            used = [blocks.get(action.get("blockDocumentId")) for action in actions]
            each.property_dependencies["actions"] = [block for block in used if block]
        return shown

    def _options(self, resource: Registered) -> PolicyResourceOptions:
        timeouts = PolicyCustomTimeouts(0, 0, 0)
        protect = self._protected[self._urn(resource)]
        return PolicyResourceOptions(protect, [], None, [], timeouts, [])

    def _urn(self, resource: Registered) -> str:
        return f"urn:pulumi:{self._stack}::data-alerts::{resource.token}::{resource.name}"

    def _index(self, token: str, name: str) -> int:
        (found,) = (
            index
            for index, each in enumerate(self._resources)
            if (each.token, each.name) == (token, name)
        )
        return found


def secret(value: object) -> dict[str, object]:
    """A Pulumi secret, as it is sent."""
    return {SIGNATURE: SECRET_SIGNATURE, "value": value}


def unknown() -> str:
    """What will be known only once it is deployed, as it is sent."""
    return str(UNKNOWN_STRING_VALUE)


def one_pipeline(**orders: object) -> str:
    """The setting `pipelines` with one of them, `orders`."""
    return json.dumps({"orders": {"owner": "web", **orders}})


@cache
def _declared(stack: str, settings: tuple[tuple[str, str], ...]) -> tuple[Registered, ...]:
    config = config_of_file(stack) | {f"data-alerts:{key}": text for key, text in settings}
    prefix = config.get("data-alerts:namePrefix")
    name = f"{prefix}/{_KEY_NAME}" if prefix else _KEY_NAME
    mocks = run_program(RecordingMocks(in_aws={name: FAKE_ROUTING_KEY}), stack, config)
    return tuple(mocks.resources)
