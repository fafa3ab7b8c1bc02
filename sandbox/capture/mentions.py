"""Who a message would ring for, beyond those who read its channel."""

import re
from collections.abc import Iterator, Mapping

from pydantic import JsonValue

_MENTION = re.compile(
    r"<(!(?:channel|here|everyone|group)|!subteam\^\w+|@\w+)(?:\|[^<>]*)?>", re.IGNORECASE
)
# Slack makes mentions of bare names only for a message that asks for it.
_BARE_NAME = re.compile(r"(?<!\w)@(channel|here|everyone)\b", re.IGNORECASE)


def slack_mentions(payload: Mapping[str, JsonValue]) -> tuple[str, ...]:
    """Return the mentions in a Slack message, each once, as `<!channel>` and without a label.

    Any text counts unless it is `plain_text`, also where Slack might not look for mentions: who
    sees none here can be sure.
    """
    bare = payload.get("parse") == "full" or bool(payload.get("link_names"))
    found = [mention for text in _texts(dict(payload)) for mention in _in_text(text, bare=bare)]
    return tuple(dict.fromkeys(found))


def _in_text(text: str, *, bare: bool) -> Iterator[str]:
    for mention in _MENTION.finditer(text):
        yield f"<{mention[1]}>"
    if bare:
        for name in _BARE_NAME.finditer(text):
            yield f"<!{name[1].lower()}>"


def _texts(value: JsonValue) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from _texts(item)
        case dict() if value.get("type") != "plain_text":
            for item in value.values():
                yield from _texts(item)
