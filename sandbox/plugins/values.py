"""Pulumi's wire form of property values: structs, and secrets within them."""

from collections.abc import Collection
from typing import Any, TypeAlias

from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct

Value: TypeAlias = Any
"""What JSON can hold; spelled out as a recursive type it would only add casts."""
Properties: TypeAlias = dict[str, Value]

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""Stands for a value that is not known before the update; `pulumi.runtime.rpc` has it too."""

# How Pulumi marks an object that is no plain object, and the mark of a secret.
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a mark, not a secret


def from_struct(struct: Struct) -> Properties:
    """Return the properties with secrets in plain, without a bridge's own bookkeeping."""
    properties: Properties = json_format.MessageToDict(struct)
    return {key: _revealed(value) for key, value in properties.items() if not key.startswith("__")}


def to_struct(properties: Properties, secrets: Collection[str] = ()) -> Struct:
    """Return the struct without properties that are None, those named in `secrets` as secrets."""
    return json_format.ParseDict(
        {
            key: {_SIGNATURE: _SECRET, "value": value} if key in secrets else value
            for key, value in properties.items()
            if value is not None
        },
        Struct(),
    )


def _revealed(value: Value) -> Value:
    if isinstance(value, list):
        return [_revealed(item) for item in value]
    if isinstance(value, dict):
        if value.get(_SIGNATURE) == _SECRET:
            return _revealed(value["value"])
        return {key: _revealed(item) for key, item in value.items()}
    # Every number arrives as a float, and not every server takes 3.0 for 3.
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
