"""Taking the known secrets out of what is kept, and nothing else: a page must show what arrived."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from pydantic import JsonValue

from alerting.redaction import REDACTED

_SECRET_FIELDS = frozenset({"routing_key", "integration_key", "service_key", "api_key"})
_WEBHOOK_URL = re.compile(
    r"(hooks\.slack(?:-gov)?\.com/|\.logic\.azure\.com(?::\d+)?/|\.api\.powerplatform\.com(?::\d+)?/)"
    r"[^\s\"'<>|]+",
    re.IGNORECASE,
)
_API_KEY = re.compile(r"\bSG\.[\w-]{16,}\.[\w-]{16,}")
# What is shorter may be a word of any message.
_LEAST_SECRET_PART = 12


def redacted_payload(payload: Mapping[str, JsonValue], *secrets: str) -> dict[str, JsonValue]:
    """Return `payload` without fields for keys, and its text as `redacted_text` leaves it."""
    return {
        redacted_text(name, *secrets): _redacted(value, secrets)
        for name, value in payload.items()
        if name.lower() not in _SECRET_FIELDS
    }


def redacted_text(text: str, *secrets: str) -> str:
    """Return `text` without `secrets` (an empty one is none), webhooks' paths and API keys."""
    # The longest first: a part of a secret may be one, too.
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    return _API_KEY.sub(REDACTED, _WEBHOOK_URL.sub(rf"\g<1>{REDACTED}", text))


def secrets_of(url: str) -> tuple[str, ...]:
    """Return what must not be told of a secret URL: the whole, its path and other long parts."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    values = (value for _, value in parse_qsl(parts.query))
    pieces = (target, parts.path, *parts.path.split("/"), *values)
    return (url, *(piece for piece in pieces if len(piece) >= _LEAST_SECRET_PART))


def _redacted(value: JsonValue, secrets: tuple[str, ...]) -> JsonValue:
    match value:
        case str():
            return redacted_text(value, *secrets)
        case list():
            return [_redacted(item, secrets) for item in value]
        case dict():
            return redacted_payload(value, *secrets)
        case _:
            return value
