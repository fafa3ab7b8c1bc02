"""The pages over HTTP. They hold no secret and change nothing; who may see them is for a proxy."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from alerting.observing.overview import Overview
from alerting.observing.page.rendering import (
    HERE,
    alerting_context,
    overview_context,
    pipeline_context,
    silences_context,
    templates,
)
from alerting.observing.page.watch import View, Watch

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
PART = "/part"
"""Before a page's path: the part of it that changes."""
HEADERS = {
    # Nothing but this page's own files: no inline script or style, no other host, no frame.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
        " connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_GZIP_FROM = 2_000
_NOT_FOUND = 404
_NO_DATA = 503

Context = Mapping[str, Any]


def application(watch: Watch, hosts: Sequence[str] = ()) -> Starlette:
    """The web application. `hosts` are further names under which it may be asked for."""
    views = _Views(watch)
    pages: dict[str, Callable[[Request], Awaitable[Response]]] = {
        "/": views.overview,
        "/pipelines/{key:path}": views.pipeline,
        "/alerting": views.alerting,
        "/silences": views.silences,
    }
    return Starlette(
        routes=[
            *(Route(path, view) for path, view in pages.items()),
            *(Route(PART + path, view) for path, view in pages.items()),
            Route("/api/overview", views.api),
            Route("/healthz", views.healthy),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ],
        middleware=[
            # Another site whose name resolves to this machine may not read the page.
            Middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK, *hosts]),
            Middleware(BaseHTTPMiddleware, dispatch=_with_headers),
            Middleware(GZipMiddleware, minimum_size=_GZIP_FROM),
        ],
        lifespan=_watching(watch),
    )


class _Views:
    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._templates = templates()

    async def overview(self, request: Request) -> Response:
        query = request.query_params
        owners = [owner for owner in query.getlist("owner") if owner]
        states = [state for state in query.getlist("state") if state]
        page = query.get("page", "1")
        number = int(page) if page.isascii() and page.isdigit() else 1
        return self._answer(
            request,
            "overview.html",
            "Pipelines",
            lambda overview: overview_context(overview, owners, states, number),
        )

    async def pipeline(self, request: Request) -> Response:
        key = request.path_params["key"]

        def context(overview: Overview) -> Context | None:
            found = (each for each in overview.pipelines if each.key == key)
            pipeline = next(found, None)
            return pipeline_context(overview, pipeline) if pipeline else None

        return self._answer(request, "pipeline.html", key, context)

    async def alerting(self, request: Request) -> Response:
        return self._answer(request, "alerting.html", "Alerting", alerting_context)

    async def silences(self, request: Request) -> Response:
        return self._answer(request, "silences.html", "Silences", silences_context)

    async def api(self, _request: Request) -> Response:
        view = self._watch.view()
        if view.overview is None:
            return JSONResponse({"problem": view.problem}, _NO_DATA)
        document = view.overview.document()
        return JSONResponse({**document, "problem": view.problem, "old": view.is_old})

    async def healthy(self, _request: Request) -> Response:
        """That the page itself is up, whatever is with Prefect."""
        return JSONResponse({"up": True})

    def _answer(
        self,
        request: Request,
        part: str,
        title: str,
        context: Callable[[Overview], Context | None],
    ) -> Response:
        view = self._watch.view()
        version = _version(view, request)
        is_part = request.url.path.startswith(f"{PART}/")
        if is_part and request.headers.get("If-None-Match") == version:
            return Response(status_code=304, headers={"ETag": version})
        found = context(view.overview) if view.overview else {}
        status = 200
        if found is None:
            found, part, status = {"overview": view.overview}, "missing.html", _NOT_FOUND
        elif view.overview is None:
            part = "waiting.html"
        template = self._templates.get_template("part.html" if is_part else "page.html")
        html = template.render(
            **found,
            view=view,
            part=part,
            title=title,
            version=version,
            path=request.url.path.removeprefix(PART) if is_part else request.url.path,
            linked=True,
        )
        return HTMLResponse(html, status, {"ETag": version})


def _version(view: View, request: Request) -> str:
    text = f"{view.version} {request.url.path} {request.url.query}"
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:20]}"'


def _watching(watch: Watch) -> Callable[[Starlette], Any]:
    @asynccontextmanager
    async def lifespan(_application: Starlette) -> AsyncGenerator[None]:
        task = asyncio.create_task(watch.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return lifespan


async def _with_headers(request: Request, call_next: RequestResponseEndpoint) -> Response:
    response = await call_next(request)
    response.headers.update(HEADERS)
    return response
