"""How times, errors and lists are written in messages. Pure."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime

from alerting.redaction import redact

ERROR_LENGTH = 400
_SCANNED = 4_000
"""Characters of an error that are looked at: the rest is cut before it costs time."""
_NAME_LENGTH = 120
_LISTED = 10
# What sets a terminal's colours and its title; the rest of one that was cut off is left as text.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]{0,40}[ -/]{0,4}[@-~]|\][^\x07\x1b]{0,400}(?:\x07|\x1b\\))")


def readable(time: datetime) -> str:
    """A time as messages say it."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def shortened(error: str) -> str:
    """An error without what looks like a secret, short enough to be read on a telephone.

    It comes from anywhere: signs that are not to be seen, or turn the text around, are left out.
    """
    return _cut(_safe(error), ERROR_LENGTH) or "none given"


def one_line(name: str) -> str:
    """A name that runs or states were given, which may hold as much as an error does."""
    return _cut(" ".join(_safe(name).split()), _NAME_LENGTH)


def listed(names: Sequence[str], most: int = _LISTED) -> str:
    """Names in one line, the first of many."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _safe(text: str) -> str:
    # What cannot be seen goes first, or it would hide a secret.
    return redact("".join(map(_visible, _ESCAPES.sub("", text[:_SCANNED])))).strip()


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 3] + "..."


def _visible(sign: str) -> str:
    if sign in "\n\t":
        return sign
    if sign in "\r\x0b\x0c\x85\u2028\u2029":
        return "\n"
    # Controls, formats such as a text's direction, and half of a pair.
    return "" if unicodedata.category(sign) in {"Cc", "Cf", "Cs"} else sign
