"""What the engine printed, as Markdown that GitHub takes."""

import re

LIMIT = 65_536
"""Characters that GitHub takes in a comment or an issue."""
_RESOURCES = re.compile(r"^Resources:\n((?:    .*\n?)+)", re.MULTILINE)
_BACKTICKS = re.compile(r"`+")
_LEFT_OUT = "\n... {} characters left out here; the run's log has all ...\n"


def headline(output: str) -> str:
    """What would change, or was, in a line, such as `~ 2 to update, 34 unchanged`."""
    found = _RESOURCES.findall(output)
    if not found:
        return "no summary"
    # An `up` previews before it deploys: the last one says what came of it.
    return ", ".join(line.strip() for line in found[-1].splitlines() if line.strip())


def folded(title: str, output: str, limit: int) -> str:
    """The output below a title that opens it, in at most `limit` characters."""
    # Longer than any in the text, so that nothing in there can end the block and be Markdown.
    longest = max((len(run) for run in _BACKTICKS.findall(output)), default=0)
    fence = "`" * max(3, longest + 1)
    before = f"<details><summary>{title}</summary>\n\n{fence}text\n"
    after = f"\n{fence}\n\n</details>"
    return before + shortened(output.strip("\n"), limit - len(before) - len(after)) + after


def shortened(text: str, limit: int) -> str:
    """The text, its middle left out where it has more than `limit` characters."""
    if len(text) <= limit:
        return text
    room = max(0, limit - len(_LEFT_OUT.format(len(text))))
    # The beginning says what was asked, the end what came of it.
    head, tail = room // 2, room - room // 2
    said = _LEFT_OUT.format(len(text) - room)
    return text[:head] + said + text[len(text) - tail :]
