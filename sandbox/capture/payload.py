"""Reading request bodies nobody has checked."""

from pydantic import JsonValue, TypeAdapter, ValidationError

_OBJECT = TypeAdapter(dict[str, JsonValue])


def json_object(body: bytes) -> dict[str, JsonValue]:
    """Return the JSON object in `body`, empty when it holds anything else."""
    try:
        return _OBJECT.validate_json(body)
    except ValidationError:
        return {}
