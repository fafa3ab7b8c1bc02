"""Where a running capture is to be found."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

from sandbox.atomic import write_atomically


class CaptureAddress(BaseModel):
    """The capture's addresses, in its folder's `capture.json` once it is up."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    proxy_url: str
    page_url: str
    ca_file: Path
    """The certificate authority the proxy signs with, in PEM."""

    def save(self, folder: Path) -> None:
        """Say that the capture of `folder` is up."""
        write_atomically(_address_file(folder), self.model_dump_json(indent=2))

    @classmethod
    def is_saved(cls, folder: Path) -> bool:
        """Whether the capture of `folder` has come up."""
        return _address_file(folder).exists()

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return where the capture of `folder` is."""
        return cls.model_validate_json(_address_file(folder).read_bytes())


def _address_file(folder: Path) -> Path:
    return folder / "capture.json"
