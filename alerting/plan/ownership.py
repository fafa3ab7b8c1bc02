"""Whose a thing in Prefect or AWS is: the mark that a stack leaves on all that it makes.

An automation carries it in its description and a secret in its tags. A block has room for neither,
so the published settings, which are deployed before any other block, list the stack's.
"""

from collections.abc import Mapping

from alerting.settings import PROJECT

_MARK = f"{PROJECT}: "


def marked(description: str, stack: str) -> str:
    """A description with the stack's mark as its last line."""
    return f"{description}\n\n{_MARK}{stack}"


def unmarked(description: str) -> str:
    """A description without a stack's mark."""
    return description.rpartition(f"\n\n{_MARK}")[0] if stack_of(description) else description


def stack_of(description: str) -> str | None:
    """The stack whose mark ends a description, None where there is no mark."""
    _, mark, stack = description.rpartition(f"\n\n{_MARK}")
    return stack if mark and stack and "\n" not in stack else None


def tags_of(stack: str) -> dict[str, str]:
    """The tags of a stack's secrets."""
    return {"project": PROJECT, "stack": stack}


def stack_of_tags(tags: Mapping[str, str]) -> str | None:
    """The stack that tagged a secret, None where none did."""
    return tags.get("stack") if tags.get("project") == PROJECT else None
