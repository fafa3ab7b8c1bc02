"""The overview as one file, with nothing beside it."""

import base64
import hashlib

from alerting.observing.overview import Overview
from alerting.observing.page.rendering import HERE, overview_context, templates


def report_page(overview: Overview) -> str:
    """An HTML document that asks nothing of anybody, and says so to the browser."""
    style = (HERE / "static" / "page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        templates()
        .get_template("report.html")
        .render(
            **overview_context(overview, per_page=None),
            style=style,
            policy=f"default-src 'none'; style-src 'sha256-{digest}'",
            linked=False,
        )
    )
