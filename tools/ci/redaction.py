"""Takes secrets out of what the engine prints, before it reaches a log, a comment or an issue.

The engine shows what it knows to be secret as [secret]. This is for what it does not know, such as
the text of a provider's error.
"""

import re
from collections.abc import Mapping

from alerting.redaction import REDACTED, redact

_SECRET_NAME = re.compile(r"SECRET|TOKEN|KEY|PASS|WEBHOOK|CREDENTIAL|AUTH")
# A shorter value would be found in every other word.
_SHORTEST = 8


class Redactor:
    """Knows the secrets of one environment by their values, and others by their looks."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        values = {
            value
            for name, value in environment.items()
            if _SECRET_NAME.search(name.upper()) and len(value) >= _SHORTEST
        }
        # The longest first: one value may be a part of another.
        self._values = sorted(values, key=len, reverse=True)

    def redact(self, text: str) -> str:
        """The text without secrets."""
        for value in self._values:
            text = text.replace(value, REDACTED)
        return redact(text)
