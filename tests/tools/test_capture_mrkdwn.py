from collections.abc import Callable

import pytest

from sandbox.capture.mrkdwn import linked_html, mrkdwn_html, plain_html

pytestmark = pytest.mark.tools


def link(address: str, label: str | None = None) -> str:
    return f'<a href="{address}" rel="noreferrer" target="_blank">{label or address}</a>'


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*Flow:* orders", "<strong>Flow:</strong> orders"),
        ("_soon_", "<em>soon</em>"),
        ("`a*b*c`", "<code>a*b*c</code>"),
        ("```a\n*b*```\nc", "<pre><code>a\n*b*</code></pre>c"),
        ("a\nb", "a<br>b"),
        (":x: failed", "❌ failed"),
        (":large_green_circle:", "🟢"),
        ("`:x:`", "<code>:x:</code>"),
        ("https://e.org/a_b_c.", link("https://e.org/a_b_c") + "."),
        ("*see https://e.org*", f"<strong>see {link('https://e.org')}</strong>"),
        ("<https://e.org|the run>", link("https://e.org", "the run")),
        ("<!channel>", '<span class="mention">@channel</span>'),
        ("<@U123|ann>", '<span class="mention">@ann</span>'),
        ("<!subteam^S1>", '<span class="mention">@S1</span>'),
        ("&lt;!channel&gt;", "&lt;!channel&gt;"),
        ("https://e.org?a=1&amp;b=2", link("https://e.org?a=1&amp;b=2")),
        ("a &lt; b &amp;&amp; c &gt; d", "a &lt; b &amp;&amp; c &gt; d"),
        ("&amp;lt;", "&amp;lt;"),
    ],
)
def test_mrkdwn_is_shown_as_slack_shows_it(text: str, html: str) -> None:
    assert mrkdwn_html(text) == html


@pytest.mark.parametrize("text", ["load_orders_daily", "2*3*4", "at 12:30:45", "* a *", "a_b"])
def test_what_is_no_mrkdwn_stays_as_it_is(text: str) -> None:
    assert mrkdwn_html(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "*<img src=x onerror=alert(1)>*",
        "`<b>`",
        "```<b>```",
        "<javascript:alert(1)|click>",
        '<https://e.org/"onmouseover="alert(1)|x>',
        'https://e.org/"onmouseover="alert(1)"',
        "<https://e.org|<img src=x>>",
    ],
)
def test_hostile_text_adds_no_element_and_no_attribute(text: str) -> None:
    harmless = str(mrkdwn_html(text))
    for own in ("strong", "code", "pre"):
        harmless = harmless.replace(f"<{own}>", "").replace(f"</{own}>", "")
    harmless = harmless.replace(' rel="noreferrer" target="_blank"', "").replace("</a>", "")
    harmless = harmless.replace('<a href="https://e.org', "")
    assert "<" not in harmless
    assert harmless.count('"') <= 1  # the end of an address


def test_a_title_has_emoji_but_no_formatting() -> None:
    assert plain_html(":x: *a* <b>") == "❌ *a* &lt;b&gt;"


def test_details_have_working_links_but_no_formatting() -> None:
    assert linked_html("*a* https://e.org/x\n<b>") == f"*a* {link('https://e.org/x')}<br>&lt;b&gt;"


@pytest.mark.parametrize("show", [mrkdwn_html, plain_html, linked_html])
@pytest.mark.parametrize("text", ["`" * 1_000_000, "*a" * 500_000, "<@" * 500_000])
def test_a_megabyte_is_cut(show: Callable[[str], str], text: str) -> None:
    shown = show(text)
    assert shown.endswith("… 990,000 more characters")
    assert len(shown) < 100_000
