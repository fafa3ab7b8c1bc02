"""Reading request bodies nobody has checked."""

from pydantic import JsonValue, TypeAdapter, ValidationError

_OBJECT = TypeAdapter(dict[str, JsonValue])


def json_object(body: bytes) -> dict[str, JsonValue] | None:
    """Return the JSON object in `body`, None when it holds anything else."""
    try:
        return _OBJECT.validate_json(body)
    except ValidationError:
        return None
