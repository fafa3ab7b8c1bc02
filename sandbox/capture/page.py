"""The page that shows captured messages as Slack and PagerDuty would."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from sandbox.capture import pagerduty, slack
from sandbox.capture.channels import UNKNOWN
from sandbox.capture.messages import CapturedMessage, MessageLog, Service
from sandbox.capture.mrkdwn import linked_html, mrkdwn_html, plain_html
from sandbox.capture.pagerduty import EventAction
from sandbox.state import SandboxError, SandboxState

HERE = Path(__file__).parent
SHOWN_PER_CHANNEL = 100

_SERVICE_NAMES = {
    Service.SLACK: "Slack",
    Service.PAGERDUTY: "PagerDuty",
    Service.REFUSED: "Other hosts",
}
_STATUSES = {
    EventAction.TRIGGER: "Triggered",
    EventAction.ACKNOWLEDGE: "Acknowledged",
    EventAction.RESOLVE: "Resolved",
}
_HEADERS = {
    # Nothing but this page's own files: no inline script or style, no other host, no frame.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
        " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class Channel:
    """One channel's column, the newest message first."""

    name: str
    services: Sequence[str]
    total: int
    messages: Sequence[CapturedMessage]


def page(folder: Path, log: MessageLog) -> Starlette:
    """Make the web application that shows what `log` holds."""
    views = _Views(folder, log)
    return Starlette(
        routes=[
            Route("/", views.page),
            Route("/board", views.board),
            Route("/api/messages", views.api),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ],
        middleware=[
            # Another site whose name resolves to this machine may not read the page.
            Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"]),
            Middleware(BaseHTTPMiddleware, dispatch=_with_headers),
        ],
    )


class _Views:
    def __init__(self, folder: Path, log: MessageLog) -> None:
        self._folder = folder
        self._log = log
        self._templates = Jinja2Templates(
            env=Environment(
                loader=FileSystemLoader(HERE / "templates"),
                autoescape=True,
                trim_blocks=True,
                lstrip_blocks=True,
                undefined=StrictUndefined,
            )
        )
        self._templates.env.filters |= {
            "mrkdwn": mrkdwn_html,
            "plain": plain_html,
            "slack_message": slack.shown_message,
            "pagerduty_event": pagerduty.shown_event,
            "linked": linked_html,
            "pretty_json": lambda value: json.dumps(value, indent=2, ensure_ascii=False),
        }

    def page(self, request: Request) -> Response:
        return self._render(request, "page.html")

    def board(self, request: Request) -> Response:
        """The part of the page that changes; 304 while it has not."""
        version = f'"{len(self._log.messages())}"'
        if request.headers.get("If-None-Match") == version:
            return Response(status_code=304)
        return self._render(request, "board.html")

    def api(self, request: Request) -> Response:
        return JSONResponse(
            [message.model_dump(mode="json") for message in _chosen(request, self._log.messages())]
        )

    def _render(self, request: Request, template: str) -> Response:
        messages = self._log.messages()
        return self._templates.TemplateResponse(
            request,
            template,
            {
                "version": f'"{len(messages)}"',
                "total": len(messages),
                "every_channel": _channels(messages),
                "channels": _channels(_chosen(request, messages)),
                "chosen": request.query_params.getlist("channel"),
                "statuses": _STATUSES,
                "summaries": _summaries(messages),
                "prefect_ui_url": _prefect_ui_url(self._folder),
            },
        )


def _chosen(request: Request, messages: Sequence[CapturedMessage]) -> Sequence[CapturedMessage]:
    names = request.query_params.getlist("channel")
    return [message for message in messages if message.channel in names] if names else messages


def _channels(messages: Sequence[CapturedMessage]) -> Sequence[Channel]:
    names = sorted({message.channel for message in messages}, key=lambda n: (n == UNKNOWN, n))
    return [_channel(name, [m for m in messages if m.channel == name]) for name in names]


def _channel(name: str, messages: Sequence[CapturedMessage]) -> Channel:
    services = sorted({_SERVICE_NAMES[message.service] for message in messages})
    return Channel(name, services, len(messages), messages[: -SHOWN_PER_CHANNEL - 1 : -1])


def _summaries(messages: Sequence[CapturedMessage]) -> Mapping[str, str]:
    # PagerDuty keeps the summary an incident was opened with: the oldest, so it is put in last.
    return {
        message.dedup_key: message.title
        for message in reversed(messages)
        if message.accepted and message.dedup_key and message.title
    }


def _prefect_ui_url(folder: Path) -> str | None:
    # The capture is up before the Prefect server is.
    try:
        return SandboxState.load(folder).prefect_ui_url
    except SandboxError:
        return None


async def _with_headers(request: Request, call_next: RequestResponseEndpoint) -> Response:
    response = await call_next(request)
    response.headers.update(_HEADERS)
    return response
