"""An HTML mail as text: what a mail program would show of it, in the page's own clothes."""

import re
from html.parser import HTMLParser

from markupsafe import Markup

from sandbox.capture.mrkdwn import linked_html

_WHITE_SPACE = re.compile(r"[ \t\r\n\f]+")
_UNSEEN = frozenset({"head", "script", "style", "title"})
_ON_LINES_OF_THEIR_OWN = frozenset(
    {"blockquote", "br", "div", "h1", "h2", "h3", "hr", "li", "p", "pre", "table", "tr"}
)


def readable_html(html: str) -> Markup:
    """Return a mail's HTML as escaped text with links, without what nobody would see."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (line.strip() for line in "".join(reader.parts).split("\n"))
    return linked_html("\n".join(line for line in lines if line))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unseen = 0
        self._addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag in _ON_LINES_OF_THEIR_OWN:
            self.parts.append("\n")
        elif tag == "a":
            self._addresses.append(dict(attrs).get("href") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag in _ON_LINES_OF_THEIR_OWN:
            self.parts.append("\n")
        elif tag == "a" and self._addresses and (address := self._addresses.pop()):
            self.parts.append(f" ({address})")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(_WHITE_SPACE.sub(" ", data))
