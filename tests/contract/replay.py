"""Plays the engine's part: asks a stand-in what a genuine plugin was recorded to be asked."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc
from pulumi.runtime.rpc import UNKNOWN

from sandbox.plugins.provider import Plugin
from sandbox.plugins.server import start
from sandbox.plugins.values import Properties, Value

RECORDINGS = Path(__file__).parent / "recordings"
SIGNATURE = "4dabf18193072939515e22adb298388d"
BOOKKEEPING = frozenset({"__pulumi_raw_state_delta", "__meta"})
TIMES = frozenset({"created", "updated"})
SETS = frozenset({"afters", "expects", "forEaches"})
JSON_TEXTS = frozenset({"data", "match", "matchRelated", "parameters", "jobVariables", "endpoints"})
LATER = ("Automation", "Version")
REQUESTS = {
    "Handshake": provider_pb2.ProviderHandshakeRequest,
    "Parameterize": provider_pb2.ParameterizeRequest,
    "CheckConfig": provider_pb2.CheckRequest,
    "DiffConfig": provider_pb2.DiffRequest,
    "Configure": provider_pb2.ConfigureRequest,
    "Check": provider_pb2.CheckRequest,
    "Diff": provider_pb2.DiffRequest,
    "Create": provider_pb2.CreateRequest,
    "Read": provider_pb2.ReadRequest,
    "Update": provider_pb2.UpdateRequest,
    "Delete": provider_pb2.DeleteRequest,
    "Invoke": provider_pb2.InvokeRequest,
    "Cancel": empty_pb2.Empty,
    "GetPluginInfo": empty_pb2.Empty,
    "GetSchema": provider_pb2.GetSchemaRequest,
}


@dataclass(frozen=True)
class Call:
    """What the engine asked, and what the genuine plugin answered."""

    method: str
    request: Properties
    response: Properties
    errors: list[str]

    @property
    def found(self) -> Properties | None:
        """The state of the resource that this call needs to find on the server, if any."""
        state: Properties | None = None
        if self.method == "Read":
            state = plain(self.response["properties"])
        elif self.method == "Update" and not self.request.get("preview"):
            state = plain(self.request["olds"])
        elif self.method == "Delete":
            state = plain(self.request["properties"])
        return state


def recorded(recording: str) -> list[Call]:
    """The calls of a recording, such as `prefect/create`."""
    lines = (RECORDINGS / f"{recording}.jsonl").read_text(encoding="utf-8").splitlines()
    return [
        Call(entry["method"], entry["request"], entry["response"] or {}, entry.get("errors") or [])
        for entry in map(json.loads, lines)
    ]


class Engine:
    """Calls a plugin over gRPC, as the engine does."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._stub = provider_pb2_grpc.ResourceProviderStub(channel)

    def call(self, method: str, request: Properties) -> Properties:
        """Return the plugin's answer; raises grpc.RpcError when it has none."""
        message = json_format.ParseDict(request, REQUESTS[method]())
        answer: Properties = json_format.MessageToDict(
            getattr(self._stub, method)(message, timeout=60)
        )
        return answer

    def failure(self, method: str, request: Properties) -> str:
        """Return the text of the error that is due instead of an answer."""
        with pytest.raises(grpc.RpcError) as caught:
            self.call(method, request)
        assert caught.value.code() is grpc.StatusCode.UNKNOWN
        return caught.value.details() or ""


@contextmanager
def engine_for(plugin: Plugin) -> Iterator[Engine]:
    """Serve the plugin in this process and connect to it."""
    server, port = start(plugin)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield Engine(channel)
    server.stop(None).wait()


@dataclass
class Replay:
    """One replay of a recording."""

    engine: Engine
    names: dict[str, str]
    """What is called otherwise now: ids, addresses and types, by their recorded names."""
    inputs: Mapping[str, Collection[str]]
    """The inputs of every resource type."""
    additions: Collection[str] = ()
    """Properties that an answer may have although the recorded one does not."""
    made: list[str] = field(default_factory=list)
    """The ids of all that was made, in order."""

    def run(self, calls: list[Call], meanwhile: Callable[[], object] = lambda: None) -> list[str]:
        """Make every call, comparing the answers; return the texts of the errors that were due.

        `meanwhile` is what somebody did on the server before.
        """
        errors = []
        for call in calls:
            errors += self._play(call)
            if call.method == "Configure":
                # Blocks and secrets come first: the others name them.
                for other in sorted(calls, key=lambda c: c.request.get("type", "").endswith(LATER)):
                    self._make(other)
                meanwhile()
        return errors

    def _make(self, call: Call) -> None:
        """Make what the call needs to find on the server, unless it was made before."""
        if call.found is None or call.request["id"] in self.names:
            return
        request = renamed(
            {k: call.request[k] for k in ("type", "name")} | {"properties": call.found}, self.names
        )
        known = self.inputs[request["type"]]
        request["properties"] = {k: v for k, v in request["properties"].items() if k in known}
        self._learn(
            {"id": call.request["id"], "properties": call.found},
            self.engine.call("Create", request),
        )

    def _play(self, call: Call) -> list[str]:
        request = renamed(call.request, self.names)
        if call.errors:
            return [self.engine.failure(call.method, request)]
        answer = self.engine.call(call.method, request)
        if call.method == "Create":
            self._learn(call.response, answer)
        due = comparable(renamed(call.response, self.names))
        given = comparable(answer)
        if "properties" in due:
            surplus = given["properties"].keys() - due["properties"].keys()
            assert surplus <= set(self.additions)
            given["properties"] = {k: given["properties"][k] for k in due["properties"]}
        if call.method == "CheckConfig":
            given = plain(given)
        assert given == due, f"{call.method} of {call.request.get('urn')}: {given} != {due}"
        return []

    def _learn(self, due: Properties, given: Properties) -> None:
        self.made.append(given["id"])
        self.names[due["id"]] = given["id"]
        if version := due["properties"].get("versionId"):
            self.names[version] = given["properties"]["versionId"]


def renamed(value: Value, names: Mapping[str, str]) -> Value:
    """Put the names of now in place of the recorded ones, inside strings too."""
    text = json.dumps(value)
    # The id of a secret's version begins with that of the secret: the longer one first.
    for old in sorted(names, key=len, reverse=True):
        text = text.replace(old, names[old])
    return json.loads(text)


def comparable(value: Value, key: str = "") -> Value:
    """Leave out what may differ: times, bookkeeping, the order of sets, the spelling of JSON."""
    if isinstance(value, list):
        items = [comparable(item) for item in value]
        return sorted(items) if key in SETS else items
    if isinstance(value, dict):
        if SIGNATURE in value:
            return {**value, "value": comparable(value["value"], key)}
        return {k: comparable(v, k) for k, v in value.items() if k not in BOOKKEEPING}
    if value != UNKNOWN and key in TIMES:
        return "a time"
    if value != UNKNOWN and key in JSON_TEXTS:
        return _meaning(value)
    return value


def plain(value: Value) -> Value:
    """Uncover secrets."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        if SIGNATURE in value:
            return plain(value["value"])
        return {k: plain(v) for k, v in value.items()}
    return value


def _meaning(text: str) -> Value:
    try:
        return json.loads(text)
    except ValueError:
        return text
