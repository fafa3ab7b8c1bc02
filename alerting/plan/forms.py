"""How a message is written for those who take it: as text, or as JSON.

A message's parts are texts, or templates that Prefect renders to texts. JSON is put together here
from either, so that a quote in an error ends no string, whoever renders it.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

Encode = Callable[[str], str]
"""Writes a text as a JSON string, or as a template that renders to one."""

Value = str | Sequence["Value"] | Mapping[str, "Value"]


class Form(StrEnum):
    """The ways in which a message is written."""

    SLACK = "slack"
    """A subject, and a body in Slack's markup."""
    RICH = "rich"
    """Slack's Block Kit, as JSON."""
    PLAIN = "plain"
    """A subject and a body without markup."""
    HTML = "html"
    """A subject, and a body as HTML."""
    INCIDENT = "incident"
    """The inside of an event of PagerDuty's Events API v2, without the routing key."""
    JSON = "json"
    """The message's parts as a JSON object."""


def encoded_text(text: str) -> str:
    """A text as a JSON string.

    Two opening braces would be a name to the block that sends it, which knows its own secrets.
    """
    return json.dumps(text).replace("{{", r"{\u007b")


def encoded_template(template: str) -> str:
    """A template whose text is written as a JSON string once it is rendered."""
    if "{" not in template:
        return encoded_text(template)
    return (
        f"{{% set text %}}{template}{{% endset %}}"
        r"{{ (text ~ '') | tojson | replace('{{', '{\\u007b') }}"
    )


def written(value: Value, encode: Encode) -> str:
    """JSON of texts in lists and objects, without two opening braces anywhere."""
    if isinstance(value, str):
        return encode(value)
    if isinstance(value, Mapping):
        return "{" + inside(value, encode) + "}"
    return "[" + ", ".join(written(each, encode) for each in value) + "]"


def inside(value: Mapping[str, Value], encode: Encode) -> str:
    """The members of an object, without its braces."""
    return ", ".join(f"{json.dumps(key)}: {written(each, encode)}" for key, each in value.items())
