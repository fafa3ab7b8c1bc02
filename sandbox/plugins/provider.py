"""The protocol between the Pulumi engine and a resource provider, for a plugin's resources."""
# ruff: noqa: N802 - the protocol names its methods so

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from sandbox.plugins.errors import ProviderError
from sandbox.plugins.guard import require_sandbox
from sandbox.plugins.resource import Resource
from sandbox.plugins.values import Properties, from_struct, to_struct


@dataclass(frozen=True)
class Connection:
    """What a plugin offers once it is configured."""

    resources: Mapping[str, Resource]
    """By type token."""
    functions: Mapping[str, Callable[[Properties], Properties]]
    """By token; a function takes its arguments and returns its result."""
    function_secrets: frozenset[str]
    """The properties of results that are secret."""
    cancel: Callable[[], None] = lambda: None
    """Makes whatever waits to try again give up."""


class Plugin(Protocol):
    """What distinguishes one plugin from another."""

    version: str
    config_secrets: frozenset[str]

    def parameterize(self, name: str, value: bytes) -> str:
        """Return the version of the package that the plugin is asked to be."""

    def config_problems(self, config: Properties) -> list[str]:
        """Return what is wrong with the provider's configuration."""

    def connect(self, config: Properties) -> Connection:
        """Use the configuration, which has no problems."""


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """Answers the engine for one plugin."""

    def __init__(self, plugin: Plugin) -> None:
        self._plugin = plugin
        self._connection: Connection | None = None

    def Handshake(
        self, _request: provider_pb2.ProviderHandshakeRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.ProviderHandshakeResponse:
        """Refuse to run outside a sandbox; ask for secrets in plain.

        Ending the process instead would make the engine call it a bug of the vendor's.
        """
        require_sandbox(os.environ)
        return provider_pb2.ProviderHandshakeResponse(
            accept_resources=True, supports_autonaming_configuration=True
        )

    def GetPluginInfo(
        self, _request: Empty, _context: grpc.ServicerContext
    ) -> plugin_pb2.PluginInfo:
        """Say which version of the vendor's plugin this one stands for."""
        return plugin_pb2.PluginInfo(version=self._plugin.version)

    def Parameterize(
        self, request: provider_pb2.ParameterizeRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.ParameterizeResponse:
        """Become the package that a generated SDK names."""
        version = self._plugin.parameterize(request.value.name, request.value.value)
        return provider_pb2.ParameterizeResponse(name=request.value.name, version=version)

    def CheckConfig(
        self, request: provider_pb2.CheckRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Refuse a wrong configuration of the provider."""
        config = from_struct(request.news)
        return _checked(config, self._plugin.config_secrets, self._plugin.config_problems(config))

    def DiffConfig(
        self, request: provider_pb2.DiffRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        """Let a changed configuration change no resource.

        The engine takes a parameterized provider's version from elsewhere once the provider is in
        the stack, so that a version may change although the program says the same.
        """
        former, config = from_struct(request.olds), from_struct(request.news)
        if former != config and former | {"version": ""} == config | {"version": ""}:
            return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)
        return provider_pb2.DiffResponse()

    def Configure(
        self, request: provider_pb2.ConfigureRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        """Use the configuration for all that follows."""
        config = from_struct(request.args)
        if problems := self._plugin.config_problems(config):
            raise ProviderError(" ".join(problems))
        self._connection = self._plugin.connect(config)
        return provider_pb2.ConfigureResponse(
            acceptResources=True, supportsPreview=True, supports_autonaming_configuration=True
        )

    def Check(
        self, request: provider_pb2.CheckRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Refuse wrong inputs of a resource, and name it when the program does not."""
        kind = self._kind(request.type)
        inputs = from_struct(request.news)
        if "name" in kind.inputs and "name" not in inputs:
            former = from_struct(request.olds).get("name")
            inputs["name"] = former or _generated_name(request)
        problems = [
            f"{request.name}.{key} is not supported by this stand-in, which is for tests only."
            for key in sorted(inputs.keys() - kind.inputs)
        ]
        return _checked(inputs, kind.secrets, problems or kind.problems(inputs, request.name))

    def Diff(
        self, request: provider_pb2.DiffRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        """Say which properties of a resource its inputs would change."""
        kind = self._kind(request.type)
        state = from_struct(request.olds)
        changed = kind.changes(kind.planned(from_struct(request.news), state), state)
        if not changed:
            return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME,
            diffs=changed,
            replaces=[key for key in changed if key in kind.replacing],
        )

    def Create(
        self, request: provider_pb2.CreateRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.CreateResponse:
        """Create a resource, or say what it would be."""
        kind = self._kind(request.type)
        planned = kind.planned(from_struct(request.properties), None)
        resource_id, state = ("", planned) if request.preview else kind.create(planned)
        return provider_pb2.CreateResponse(
            id=resource_id, properties=to_struct(state, kind.secrets)
        )

    def Read(
        self, request: provider_pb2.ReadRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.ReadResponse:
        """Read a resource that is in the stack, or one to be imported by its id."""
        kind = self._kind(request.type)
        state = kind.read(request.id, from_struct(request.properties))
        if state is None:
            return provider_pb2.ReadResponse()
        inputs = kind.current_inputs(state, from_struct(request.inputs))
        return provider_pb2.ReadResponse(
            id=request.id,
            properties=to_struct(state, kind.secrets),
            inputs=to_struct(inputs, kind.secrets),
        )

    def Update(
        self, request: provider_pb2.UpdateRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.UpdateResponse:
        """Change a resource in place, or say what it would become."""
        kind = self._kind(request.type)
        former = from_struct(request.olds)
        state = kind.planned(from_struct(request.news), former)
        if not request.preview:
            state = kind.update(request.id, state, former)
        return provider_pb2.UpdateResponse(properties=to_struct(state, kind.secrets))

    def Delete(self, request: provider_pb2.DeleteRequest, _context: grpc.ServicerContext) -> Empty:
        """Delete a resource."""
        self._kind(request.type).delete(request.id, from_struct(request.properties))
        return Empty()

    def Invoke(
        self, request: provider_pb2.InvokeRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.InvokeResponse:
        """Call a function."""
        connection = self._connected()
        function = connection.functions.get(request.tok)
        if function is None:
            raise _unknown("function", request.tok, connection.functions)
        result = to_struct(function(from_struct(request.args)), connection.function_secrets)
        response = provider_pb2.InvokeResponse()
        # The field is called `return`, which no Python expression can name.
        getattr(response, "return").CopyFrom(result)
        return response

    def Cancel(self, _request: Empty, _context: grpc.ServicerContext) -> Empty:
        """Give up waiting: the user interrupted the deployment."""
        if self._connection:
            self._connection.cancel()
        return Empty()

    def _connected(self) -> Connection:
        if self._connection is None:
            raise ProviderError("The provider was used before it was configured.")
        return self._connection

    def _kind(self, token: str) -> Resource:
        resources = self._connected().resources
        if token not in resources:
            raise _unknown("resource type", token, resources)
        return resources[token]


def _checked(
    inputs: Properties, secrets: frozenset[str], problems: list[str]
) -> provider_pb2.CheckResponse:
    return provider_pb2.CheckResponse(
        inputs=to_struct(inputs, secrets),
        failures=[provider_pb2.CheckFailure(reason=problem) for problem in problems],
    )


def _generated_name(request: provider_pb2.CheckRequest) -> str:
    return request.autonaming.proposed_name or f"{request.name}-{request.randomSeed.hex()[:7]}"


def _unknown(what: str, token: str, known: Mapping[str, object]) -> ProviderError:
    return ProviderError(
        f"This stand-in, which is for tests only, has no {what} {token}; "
        f"it has {', '.join(sorted(known))}."
    )
