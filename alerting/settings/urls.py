"""URLs that a stack is configured with: of Prefect's API, of its pages, of runbooks."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

CLOUD_API_HOST = "api.prefect.cloud"
_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_CLOUD_URL = re.compile(
    rf"https://{re.escape(CLOUD_API_HOST)}/api/accounts/{_ID}/workspaces/{_ID}", re.IGNORECASE
)


def is_cloud(api_url: str) -> bool:
    """Whether an API URL is Prefect Cloud's."""
    return urlsplit(api_url).hostname == CLOUD_API_HOST


def _http_url(value: str) -> str:
    # White space and control characters would be dropped by the parser here, and not by browsers.
    if not value.isprintable() or " " in value or not _has_http_host(value):
        raise ValueError("expected an http:// or https:// URL without white space")
    parts = urlsplit(value)
    if parts.username or parts.password:
        raise ValueError(
            "expected a URL without user and password. Take them out; those for Prefect go into "
            "apiKey or basicAuthKey"
        )
    return value


def _has_http_host(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _base_url(value: str) -> str:
    if urlsplit(value).query or urlsplit(value).fragment:
        raise ValueError("expected a URL without ? and #, since paths are added to it")
    return value.rstrip("/")


def _api_url(value: str) -> str:
    if is_cloud(value) and not _CLOUD_URL.fullmatch(value):
        raise ValueError(
            f"expected https://{CLOUD_API_HOST}/api/accounts/<id>/workspaces/<id>, "
            "as `prefect config view` shows it"
        )
    if not value.endswith("/api") and not is_cloud(value):
        raise ValueError("expected the API's URL, which ends in /api")
    return value


HttpUrl = Annotated[str, AfterValidator(_http_url)]
BaseUrl = Annotated[HttpUrl, AfterValidator(_base_url)]
ApiUrl = Annotated[BaseUrl, AfterValidator(_api_url)]
