"""The refusal to run, or to reach anything, outside a sandbox."""

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from sandbox.plugins.errors import ProviderError

_REMEDY = (
    "This plugin is a stand-in for tests; to use the vendor's plugin, "
    "remove sandbox/plugins/bin from PATH."
)


def require_sandbox(environment: Mapping[str, str]) -> None:
    """Raise ProviderError unless DATA_ALERTS_SANDBOX names the folder of a sandbox."""
    folder = environment.get("DATA_ALERTS_SANDBOX")
    if not folder:
        raise ProviderError(f"DATA_ALERTS_SANDBOX is not set, so this is no sandbox. {_REMEDY}")
    if not Path(folder, "sandbox.json").is_file():
        raise ProviderError(
            f"DATA_ALERTS_SANDBOX names no sandbox: no {folder}/sandbox.json. {_REMEDY}"
        )


def require_loopback(url: str) -> None:
    """Raise ProviderError unless the URL is http(s) at this machine's own loopback address."""
    parts = _parsed(url)
    if parts and parts.scheme in {"http", "https"} and _is_loopback(parts.hostname or ""):
        return
    shown = repr(without_credentials(url)) if parts else "(which is no URL)"
    raise ProviderError(f"The endpoint {shown} is no http(s) URL of a loopback address. {_REMEDY}")


def without_credentials(url: str) -> str:
    """Return the URL without user name, password, query and fragment: fit for an error message."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _parsed(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises when it is no port
    except ValueError:
        return None
    return parts


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
