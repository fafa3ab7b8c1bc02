"""What `alertctl secrets list` and `verify` print. Never a value."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from alerting.secrets.declared import DeclaredSecret

if TYPE_CHECKING:  # it imports boto3
    from alerting.secrets.secrets_manager import Stored

_UNKNOWN = "?"


@dataclass(frozen=True)
class ListedSecret:
    """A secret and what Secrets Manager says of it; None where it could not be asked."""

    secret: DeclaredSecret
    stored: "Stored | None"

    @property
    def state(self) -> str:
        """Whether it is there, in words."""
        if self.stored is None:
            return _UNKNOWN
        rotating = ", rotation under way" if self.stored.is_rotating else ""
        return f"{self.stored.in_words}{rotating}"

    def as_json(self) -> dict[str, Any]:
        """The secret as a program reads it; times in ISO 8601."""
        stored = self.stored
        return {
            "key": self.secret.key,
            "name": self.secret.name,
            "from": self.secret.source.value if self.secret.source else "value",
            "state": stored.presence.value if stored else None,
            "rotating": stored.is_rotating if stored else None,
            "changed": stored.changed.isoformat() if stored and stored.changed else None,
            "deletion": stored.deletion.isoformat() if stored and stored.deletion else None,
            "channels": list(self.secret.channels),
        }


def secrets_table(stack: str, listed: Sequence[ListedSecret]) -> Table:
    """The secrets of a stack."""
    table = Table(title=f"Secrets of stack {stack}", title_justify="left")
    for column in ("key", "Secrets Manager", "value comes from", "state", "changed", "used by"):
        table.add_column(column, overflow="fold")
    for each in listed:
        stored = each.stored
        changed = f"{stored.changed:%Y-%m-%d %H:%M}" if stored and stored.changed else ""
        cells = (
            each.secret.key,
            each.secret.name,
            each.secret.comes_from,
            each.state,
            changed,
            ", ".join(each.secret.channels) or "nobody",
        )
        # As text: the table would take brackets in a name for its markup.
        table.add_row(*map(Text, cells))
    return table
