"""The page that shows captured messages as their receivers would."""

import json
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import JsonValue
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from sandbox.capture import pagerduty, sendgrid, slack, teams
from sandbox.capture.board import board
from sandbox.capture.html_mail import readable_html
from sandbox.capture.messages import CapturedMessage, MessageLog
from sandbox.capture.mrkdwn import linked_html, mrkdwn_html, plain_html
from sandbox.capture.pagerduty import EventAction
from sandbox.state import SandboxError, SandboxState

HERE = Path(__file__).parent
LONGEST_PAYLOAD = 20_000
"""Characters of a payload on the page; the list as JSON has the whole."""

_ACTIONS = {
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
            "teams_cards": teams.shown_cards,
            "mail": sendgrid.shown_mail,
            "readable_html": readable_html,
            "pretty_json": _pretty_json,
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
                "every_channel": board(messages),
                "channels": board(_chosen(request, messages)),
                "chosen": request.query_params.getlist("channel"),
                "actions": _ACTIONS,
                "prefect_ui_url": _prefect_ui_url(self._folder),
            },
        )


def _chosen(request: Request, messages: Sequence[CapturedMessage]) -> Sequence[CapturedMessage]:
    names = request.query_params.getlist("channel")
    return [message for message in messages if message.channel in names] if names else messages


def _pretty_json(value: JsonValue) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    left = len(text) - LONGEST_PAYLOAD
    return text if left <= 0 else f"{text[:LONGEST_PAYLOAD]}\n… {left:,} more characters"


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
