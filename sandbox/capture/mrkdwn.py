"""Slack's mrkdwn as HTML that is safe whatever the text holds."""

import re

from markupsafe import Markup
from rich.emoji import Emoji

# Not the punctuation that ends a sentence.
_URL = r"https?://[^\s<>*`]*[^\s<>*`.,;:!?)'\"]"
# Tried from the first at each place of the text. A link's text and address never hold one another.
_TOKEN = re.compile(
    r"```(?P<block>.+?)```\n?"
    r"|`(?P<code>[^`\n]+)`"
    r"|<(?P<link>https?://[^|>\s]+)(?:\|(?P<label>[^>\n]+))?>"
    rf"|(?P<url>{_URL})"
    r"|(?<!\w)\*(?P<bold>[^*\s](?:[^*\n]*[^*\s])?)\*(?!\w)"
    r"|(?<!\w)_(?P<italic>[^_\s](?:[^_\n]*[^_\s])?)_(?!\w)",
    re.DOTALL,
)
# What Slack names large_green_circle the emoji table names green_circle.
_LARGE_CIRCLE = re.compile(r":large_(\w+_circle):")


def mrkdwn_html(text: str) -> Markup:
    """Return `text` as Slack would show it: code, links, bold, italic, emoji, line breaks."""
    html = Markup()
    end = 0
    for token in _TOKEN.finditer(text):
        html += plain_html(text[end : token.start()]) + _token_html(token)
        end = token.end()
    return html + plain_html(text[end:])


def plain_html(text: str) -> Markup:
    """Return text without formatting, as in a title: escaped, with emoji and line breaks."""
    return _lines(Emoji.replace(_LARGE_CIRCLE.sub(r":\1:", _unescaped(text))))


def linked_html(text: str) -> Markup:
    """Return text that is not mrkdwn, as in PagerDuty's details: escaped, bare links working."""
    html = Markup()
    end = 0
    for url in re.finditer(_URL, text):
        html += _lines(text[end : url.start()]) + _link(url[0], url[0])
        end = url.end()
    return html + _lines(text[end:])


def _token_html(token: re.Match[str]) -> Markup:
    kind = token.lastgroup
    content = token[kind or 0]
    match kind:
        case "block":
            return Markup("<pre><code>{}</code></pre>").format(_unescaped(content).strip("\n"))
        case "code":
            return Markup("<code>{}</code>").format(_unescaped(content))
        case "bold":
            return Markup("<strong>{}</strong>").format(mrkdwn_html(content))
        case "italic":
            return Markup("<em>{}</em>").format(mrkdwn_html(content))
        case _:
            address = _unescaped(token["link"] or token["url"])
            return _link(address, plain_html(token["label"]) if token["label"] else address)


def _link(address: str, label: str) -> Markup:
    link = Markup('<a href="{}" rel="noreferrer" target="_blank">{}</a>')
    return link.format(address, label)


def _lines(text: str) -> Markup:
    return Markup("<br>").join(text.split("\n"))


def _unescaped(text: str) -> str:
    # Slack's only three escapes; the ampersand's last, or &amp;lt; would become a bracket.
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
