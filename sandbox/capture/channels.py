"""Which channel a webhook URL or routing key belongs to, told by its hash alone."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from pydantic import TypeAdapter

from sandbox.atomic import write_atomically

UNKNOWN = "unknown"

_CHANNELS = TypeAdapter(dict[str, str])


def register_channels(folder: Path, channels: Mapping[str, str]) -> None:
    """Tell the capture in `folder` which channel each secret belongs to.

    A secret is a Slack webhook URL or a PagerDuty routing key. What was registered before is
    forgotten. Only hashes are written.
    """
    hashed = {_digest(secret): channel for secret, channel in channels.items()}
    write_atomically(_channels_file(folder), _CHANNELS.dump_json(hashed, indent=2).decode())


def channel_of(folder: Path, secret: str) -> str:
    """Return the channel of a webhook URL or routing key, `unknown` if none is registered."""
    # Read for each message: a deployment may have just replaced it.
    try:
        channels = _CHANNELS.validate_json(_channels_file(folder).read_bytes())
    except FileNotFoundError:
        return UNKNOWN
    return channels.get(_digest(secret), UNKNOWN)


def _digest(secret: str) -> str:
    return sha256(secret.rstrip("/").encode()).hexdigest()


def _channels_file(folder: Path) -> Path:
    return folder / "channels.json"
