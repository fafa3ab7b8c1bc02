"""What the capture replies."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """The HTTP answer to one request."""

    status_code: int
    body: str
    content_type: str
