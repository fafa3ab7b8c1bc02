"""Which channel a secret address belongs to, told by its hash alone."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydantic import TypeAdapter

from sandbox.atomic import write_atomically

UNKNOWN = "unknown"

_CHANNELS = TypeAdapter(dict[str, str])


def register_channels(folder: Path, channels: Mapping[str, str]) -> None:
    """Tell the capture in `folder` which channel each secret address belongs to.

    An address is the whole URL of a Slack, Teams or other webhook, a PagerDuty routing key, or
    a SendGrid API key, alone or as `sendgrid.address` joins it with a recipient. What was
    registered before is forgotten. Only hashes are written.
    """
    hashed = {_digest(secret): channel for secret, channel in channels.items()}
    write_atomically(_channels_file(folder), _CHANNELS.dump_json(hashed, indent=2).decode())


def channel_of(folder: Path, secret: str) -> str:
    """Return the channel of a secret address, `unknown` if none is registered."""
    # Read for each message: a deployment may have just replaced it.
    try:
        channels = _CHANNELS.validate_json(_channels_file(folder).read_bytes())
    except FileNotFoundError:
        return UNKNOWN
    return channels.get(_digest(secret), UNKNOWN)


def _digest(secret: str) -> str:
    return sha256(_canonical(secret).encode()).hexdigest()


def _canonical(secret: str) -> str:
    # Prefect's Teams block takes a URL apart and writes its own: without the usual port, and
    # with the parameters in another order.
    if not secret.startswith("https://"):
        return secret.rstrip("/")
    url = urlsplit(secret)
    host = url.netloc.lower().removesuffix(":443")
    query = urlencode(sorted(parse_qsl(url.query, keep_blank_values=True)))
    return f"https://{host}{url.path.rstrip('/')}?{query}"


def _channels_file(folder: Path) -> Path:
    return folder / "channels.json"
