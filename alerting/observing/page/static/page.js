// Brings what changes into the page without a reload. Without it the page is whole, and stays as it is.

const news = document.getElementById("news");
let said = "";

const part = () => document.getElementById("part");

const summary = () =>
  [...document.querySelectorAll(".summary .tile")].map((tile) => tile.textContent.trim()).join(", ");

const show = (html) => {
  const fresh = new DOMParser().parseFromString(html, "text/html").getElementById("part");
  if (!fresh) return;
  const focused = part().contains(document.activeElement) ? document.activeElement : null;
  const chosen = document.getElementById("owner")?.value;
  const scrolled = [...part().querySelectorAll(".scroll")].map((each) => each.scrollLeft);
  part().replaceWith(fresh);
  [...part().querySelectorAll(".scroll")].forEach((each, index) => {
    each.scrollLeft = scrolled[index] ?? 0;
  });
  const owner = document.getElementById("owner");
  if (owner && chosen !== undefined) owner.value = chosen;
  if (focused?.id) document.getElementById(focused.id)?.focus({ preventScroll: true });
  const now = summary();
  if (said && now !== said) news.textContent = now;
  said = now;
};

const say = (text) => {
  const place = document.getElementById("connection");
  if (place && place.textContent !== text) place.textContent = text;
};

const refresh = async () => {
  try {
    const answer = await fetch(`/part${location.pathname}${location.search}`, {
      cache: "no-store",
      headers: { "If-None-Match": part().dataset.version },
    });
    if (answer.status === 200 || answer.status === 404) show(await answer.text());
    say("· live");
  } catch {
    say("· this page's server no longer answers");
  }
  setTimeout(refresh, Number(part().dataset.every));
};

said = summary();
refresh();
