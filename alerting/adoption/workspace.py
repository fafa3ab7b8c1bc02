"""What is in a Prefect workspace, asked with the standard library: a deployment installs no client.

Answers hold secrets, so no error quotes one.
"""

import base64
import json
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

from alerting.adoption.things import Found, Kind
from alerting.plan.ownership import stack_of
from alerting.plan.published import unpack

ANSWER_SECONDS = 10.0
PAUSES = (0.2, 0.5, 1.0, 2.0)
"""Seconds before each repetition: a server on SQLite is busy for moments."""
PAGE = 200
_UNAUTHORIZED = frozenset({401, 403})
_PASSING = frozenset({429, 502, 503, 504})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
Document = dict[str, Any]


class WorkspaceError(Exception):
    """The workspace cannot be asked; the text says what to do, and holds no credential."""


class _NotNowError(Exception):
    """An attempt failed in a way that may pass."""


class _StayHere(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: it would carry the credentials to wherever it leads."""

    def redirect_request(self, *_args: object, **_kwargs: object) -> None:
        return None


@dataclass(frozen=True)
class Workspace:
    """One workspace's API, and how to log in to it. Every method may raise WorkspaceError."""

    endpoint: str
    api_key: str | None = field(default=None, repr=False)
    basic_auth_key: str | None = field(default=None, repr=False)

    def automations(self, names: Iterable[str], ids: Iterable[str] = ()) -> list[Document]:
        """The automations that have one of these names, or ids."""
        named, known = sorted(names), sorted(ids)
        wanted: Document = {"name": {"any_": named}}
        if known:
            wanted = {"operator": "or_", **wanted, "id": {"any_": known}}
        return list(self._pages("/automations/filter", {"automations": wanted}))

    def all_automations(self) -> list[Document]:
        """Every automation of the workspace."""
        return list(self._pages("/automations/filter", {}))

    def blocks(self, slugs: Iterable[str]) -> list[Document]:
        """The blocks of these slugs, with what they hold in plain."""
        wanted = frozenset(slugs)
        names = {"any_": sorted({slug.partition("/")[2] for slug in wanted})}
        query = {"block_documents": {"name": names}, "include_secrets": True}
        found = self._pages("/block_documents/filter", query)
        return [block for block in found if slug_of(block) in wanted]

    def _pages(self, path: str, query: Document) -> Iterator[Document]:
        offset = 0
        while True:
            page = self._ask(path, {**query, "limit": PAGE, "offset": offset})
            if not isinstance(page, list):
                raise self._error("is no Prefect API", "The endpoint ends in /api, or in its id.")
            yield from page
            if len(page) < PAGE:
                return
            offset += PAGE

    def _ask(self, path: str, query: Document) -> Any:  # noqa: ANN401 - JSON
        for pause in (*PAUSES, None):
            try:
                return self._attempt(path, query)
            except _NotNowError as failure:
                if pause is None:
                    raise self._error(
                        str(failure), "Check data-alerts:prefect.endpoint and that it is up."
                    ) from None
                time.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def _attempt(self, path: str, query: Document) -> Any:  # noqa: ANN401 - JSON
        request = urllib.request.Request(  # noqa: S310 - the settings take http(s) alone
            self.endpoint + path,
            data=json.dumps(query).encode(),
            headers={"Content-Type": "application/json", **self._authorization()},
        )
        try:
            with self._opener().open(request, timeout=ANSWER_SECONDS) as answer:
                return json.load(answer)
        except HTTPError as error:
            raise self._refusal(error.code) from None
        except (OSError, HTTPException):
            raise _NotNowError("does not answer") from None
        except ValueError:
            raise self._error("is no Prefect API", "It does not answer in JSON.") from None

    def _refusal(self, status: int) -> Exception:
        if status in _PASSING:
            return _NotNowError(f"is busy (HTTP {status})")
        if status in _UNAUTHORIZED:
            return self._error(
                f"refused the credentials (HTTP {status})",
                "Set data-alerts:prefect.apiKey, or basicAuthKey for a server with a password.",
            )
        return self._error(
            f"refused to list what it has (HTTP {status})",
            "Check that data-alerts:prefect.endpoint is the address of its API.",
        )

    def _authorization(self) -> Mapping[str, str]:
        if self.api_key:
            return {"Authorization": f"Bearer {self.api_key}"}
        if self.basic_auth_key:
            encoded = base64.b64encode(self.basic_auth_key.encode()).decode()
            return {"Authorization": f"Basic {encoded}"}
        return {}

    def _opener(self) -> urllib.request.OpenerDirector:
        # As the provider does: never by a proxy to this machine itself.
        local = urlsplit(self.endpoint).hostname in _LOOPBACK
        proxies = urllib.request.ProxyHandler({} if local else None)
        return urllib.request.build_opener(proxies, _StayHere())

    def _error(self, what: str, remedy: str) -> WorkspaceError:
        parts = urlsplit(self.endpoint)
        address = f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"
        return WorkspaceError(f"Prefect at {address} {what}. {remedy}")


def slug_of(block: Document) -> str:
    """A block as Prefect's commands name it, such as `slack-webhook/alerts`."""
    return f"{block['block_type']['slug']}/{block['name']}"


def found_automations(automations: Iterable[Document]) -> Iterator[Found]:
    """Automations, with whose they are."""
    for each in automations:
        mark = stack_of(each["description"] or "")
        yield Found(Kind.AUTOMATION, each["id"], each["name"], mark, each["enabled"])


def found_blocks(blocks: Iterable[Document], settings_slug: str) -> Iterator[Found]:
    """Blocks, with whose they are by the published settings among them."""
    there = list(blocks)
    published = next((_published(b) for b in there if slug_of(b) == settings_slug), {})
    stack, listed = published.get("stack"), published.get("blocks") or ()
    for block in there:
        slug = slug_of(block)
        owned = slug == settings_slug or slug in listed
        yield Found(Kind.BLOCK, block["id"], slug, stack if owned else None)


def _published(block: Document) -> Document:
    data = block["data"]
    try:
        return unpack(data.get("value") if isinstance(data, dict) else None)
    except ValueError:
        return {}
