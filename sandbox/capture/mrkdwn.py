"""Slack's mrkdwn as HTML that is safe whatever the text holds."""

import re

from markupsafe import Markup
from rich.emoji import Emoji

LONGEST_TEXT = 10_000
"""Characters of one text that are shown; the list as JSON has the whole."""

# Not the punctuation that ends a sentence.
_URL = r"https?://[^\s<>*`]*[^\s<>*`.,;:!?)'\"]"
# Tried from the first at each place of the text. A link's text and address never hold one another.
_TOKEN = re.compile(
    r"```(?P<block>.+?)```\n?"
    r"|`(?P<code>[^`\n]+)`"
    r"|<(?P<mention>(?:!(?:channel|here|everyone|group)|!subteam\^\w+|@\w+)(?:\|[^<>\n]+)?)>"
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
    return _formatted(_shortened(text))


def plain_html(text: str) -> Markup:
    """Return text without formatting, as in a title: escaped, with emoji and line breaks."""
    return _unformatted(_shortened(text))


def linked_html(text: str) -> Markup:
    """Return text that is not mrkdwn, as in PagerDuty's details: escaped, bare links working."""
    text = _shortened(text)
    html = Markup()
    end = 0
    for url in re.finditer(_URL, text):
        html += _lines(text[end : url.start()]) + _link(url[0], url[0])
        end = url.end()
    return html + _lines(text[end:])


def _formatted(text: str) -> Markup:
    html = Markup()
    end = 0
    for token in _TOKEN.finditer(text):
        html += _unformatted(text[end : token.start()]) + _token_html(token)
        end = token.end()
    return html + _unformatted(text[end:])


def _unformatted(text: str) -> Markup:
    return _lines(Emoji.replace(_LARGE_CIRCLE.sub(r":\1:", _unescaped(text))))


def _token_html(token: re.Match[str]) -> Markup:
    kind = token.lastgroup
    content = token[kind or 0]
    match kind:
        case "block":
            return Markup("<pre><code>{}</code></pre>").format(_unescaped(content).strip("\n"))
        case "code":
            return Markup("<code>{}</code>").format(_unescaped(content))
        case "bold":
            return Markup("<strong>{}</strong>").format(_formatted(content))
        case "mention":
            return Markup('<span class="mention">@{}</span>').format(_mentioned(content))
        case "italic":
            return Markup("<em>{}</em>").format(_formatted(content))
        case _:
            address = _unescaped(token["link"] or token["url"])
            return _link(address, _unformatted(token["label"]) if token["label"] else address)


def _mentioned(mention: str) -> str:
    name, _, label = mention.partition("|")
    return label.removeprefix("@") or name.lstrip("!@").removeprefix("subteam^")


def _link(address: str, label: str) -> Markup:
    link = Markup('<a href="{}" rel="noreferrer" target="_blank">{}</a>')
    return link.format(address, label)


def _shortened(text: str) -> str:
    left = len(text) - LONGEST_TEXT
    return text if left <= 0 else f"{text[:LONGEST_TEXT]}\n… {left:,} more characters"


def _lines(text: str) -> Markup:
    return Markup("<br>").join(text.split("\n"))


def _unescaped(text: str) -> str:
    # Slack's only three escapes; the ampersand's last, or &amp;lt; would become a bracket.
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
