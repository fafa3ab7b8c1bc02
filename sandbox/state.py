"""Where a sandbox is and how to reach its parts."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from sandbox.atomic import write_atomically

DEFAULT_FOLDER = Path(__file__).resolve().parent.parent / ".sandbox"


class SandboxError(Exception):
    """A sandbox cannot do what was asked; the message says what to do."""


class SandboxState(BaseModel):
    """The addresses of one running sandbox, saved in its folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path
    """Absolute. Everything the sandbox writes is in here."""
    prefect_api_url: str
    prefect_ui_url: str
    moto_url: str
    """Secrets Manager, as an AWS endpoint URL."""
    proxy_url: str
    """The capture as an HTTPS proxy."""
    ca_file: Path
    """The certificate authority the capture signs with, in PEM."""
    page_url: str
    """The page that shows captured messages."""

    def save(self) -> None:
        """Write the state into the sandbox's folder."""
        write_atomically(_state_file(self.folder), self.model_dump_json(indent=2))

    @classmethod
    def load(cls, folder: Path = DEFAULT_FOLDER) -> Self:
        """Read the state of the sandbox in `folder`.

        Raises SandboxError when no sandbox was brought up there.
        """
        try:
            return cls.model_validate_json(_state_file(folder).read_bytes())
        except (OSError, ValidationError):
            # The parser's own words would not help: the file is ours, and the cure is the same.
            raise SandboxError(f"no sandbox is up in {folder}: run `make sandbox`") from None


def _state_file(folder: Path) -> Path:
    return folder / "sandbox.json"
