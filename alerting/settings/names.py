"""Names that a stack is configured with, each as strict as where it ends up."""

import re
from typing import Annotated

from pydantic import AfterValidator


def _matching(pattern: str, expected: str) -> AfterValidator:
    """A check that says in words what the pattern asks for."""
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise ValueError(f"expected {expected}")
        return value

    return AfterValidator(check)


PlainName = Annotated[
    str,
    _matching(
        r"(?=.*\S)[^\x00-\x1f\x7f]{1,200}", "1 to 200 characters, not blank, without line breaks"
    ),
]
# Prefect refuses such names, so a pipeline that has one would never be met.
RunName = Annotated[
    PlainName, _matching(r"[^/%&<>]*", "one name as Prefect has it, without / % & < >")
]
# Becomes the name of a Pulumi resource, and of an environment variable.
Key = Annotated[
    str,
    _matching(
        r"[A-Za-z][A-Za-z0-9_-]{0,59}",
        "a name of letters, digits, dashes and underscores, a letter first, 60 characters at most",
    ),
]
Slug = Annotated[
    str,
    _matching(
        r"(?=.{1,60}$)[a-z0-9]+(-[a-z0-9]+)*",
        "a-z, 0-9 and single dashes between them, 60 characters at most",
    ),
]
Tag = Annotated[
    str,
    _matching(
        r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}",
        "letters, digits, dots, dashes and underscores, 60 characters at most",
    ),
]
AwsSecretName = Annotated[
    str, _matching(r"[A-Za-z0-9/_+=.@-]{1,400}", "letters, digits and /_+=.@-, as AWS allows")
]
EmailAddress = Annotated[
    str, _matching(r"[^\s@<>,;:\"]{1,64}@[^\s@<>,;:\"]{1,190}", "one mail address, such as a@b.org")
]
