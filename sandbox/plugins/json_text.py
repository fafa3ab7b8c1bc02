"""Property values that are JSON in a string, and are compared by what they mean."""

import json

from sandbox.plugins.values import UNKNOWN, Value


def is_json(text: str, kind: type | tuple[type, ...]) -> bool:
    """Whether the text is JSON for a value of the kind, or not known yet."""
    try:
        return text == UNKNOWN or isinstance(json.loads(text), kind)
    except ValueError:
        return False


def meaning(text: str) -> Value:
    """Return what the JSON text means; a text that is not known yet means itself."""
    return text if text == UNKNOWN else json.loads(text)


def text_for(value: Value, former: str | None) -> str:
    """Return a JSON text for the value: the former one when that means the same."""
    if former is not None and meaning(former) == value:
        return former
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
