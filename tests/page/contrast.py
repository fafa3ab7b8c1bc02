"""Whether text can be read on the ground it stands on."""

from typing import Literal

from playwright.sync_api import Browser

Scheme = Literal["light", "dark"]

# What the guidelines for accessible content ask of text.
LEAST = 4.5

_RATIOS = """() => {
  const context = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const luminance = (colors) => {
    context.clearRect(0, 0, 1, 1);
    for (const color of colors) { context.fillStyle = color; context.fillRect(0, 0, 1, 1); }
    const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratios = {};
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE)
      .map((node) => node.data.trim()).join("");
    if (!text || !element.checkVisibility()) continue;
    const grounds = [];
    for (let at = element; at; at = at.parentElement) {
      grounds.unshift(getComputedStyle(at).backgroundColor);
    }
    const ground = luminance(grounds);
    const ink = luminance([...grounds, getComputedStyle(element).color]);
    ratios[text] = (Math.max(ground, ink) + 0.05) / (Math.min(ground, ink) + 0.05);
  }
  return ratios;
}"""


def low_contrasts(browser: Browser, url: str, scheme: Scheme) -> dict[str, float]:
    """Return the text of a page whose contrast is too low, with the contrast."""
    with browser.new_context(color_scheme=scheme) as context:
        tab = context.new_page()
        tab.goto(url)
        ratios: dict[str, float] = tab.evaluate(_RATIOS)
    return {text: ratio for text, ratio in ratios.items() if ratio < LEAST}
