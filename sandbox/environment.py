"""The environment variables of a sandbox's processes."""

import os
from pathlib import Path

# What would send a sandbox's process to the developer's own Prefect, AWS or proxy.
FOREIGN_PREFIXES = ("AWS_", "DATA_ALERTS_", "PREFECT_", "PULUMI_")
FOREIGN_NAMES = frozenset({"ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "PYTHONPATH"})


def base_environment() -> dict[str, str]:
    """Return this process's environment without what points out of the sandbox."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(FOREIGN_PREFIXES) and name.upper() not in FOREIGN_NAMES
    }


def captured(proxy_url: str, ca_file: Path) -> dict[str, str]:
    """Return the variables that send every request to another host to the capture."""
    return {
        # Some libraries read only the lower-case names, some only the upper-case ones.
        **dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"), proxy_url),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost"),
        # Slack and PagerDuty blocks send with requests, custom webhooks with httpx: the first
        # trusts only REQUESTS_CA_BUNDLE, the second only SSL_CERT_FILE.
        **dict.fromkeys(("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"), str(ca_file)),
    }
