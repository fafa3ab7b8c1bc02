"""Taking the known secrets out of what is kept, and nothing else: a page must show what arrived."""

import re
from collections.abc import Mapping

from pydantic import JsonValue

from alerting.redaction import REDACTED

_SECRET_FIELDS = frozenset({"routing_key", "integration_key", "service_key", "api_key"})
_WEBHOOK_URL = re.compile(r"(hooks\.slack(?:-gov)?\.com/)[^\s\"'<>|]+", re.IGNORECASE)


def redacted_payload(payload: Mapping[str, JsonValue], secret: str) -> dict[str, JsonValue]:
    """Return `payload` without fields for keys, and without `secret` or any webhook in its text."""
    return {
        redacted_text(name, secret): _redacted(value, secret)
        for name, value in payload.items()
        if name.lower() not in _SECRET_FIELDS
    }


def redacted_text(text: str, secret: str) -> str:
    """Return `text` without `secret` (none if it is empty) and without the path of any webhook."""
    shown = text.replace(secret, REDACTED) if secret else text
    return _WEBHOOK_URL.sub(rf"\g<1>{REDACTED}", shown)


def _redacted(value: JsonValue, secret: str) -> JsonValue:
    match value:
        case str():
            return redacted_text(value, secret)
        case list():
            return [_redacted(item, secret) for item in value]
        case dict():
            return redacted_payload(value, secret)
        case _:
            return value
