// Brings new messages into the page without a reload, once a second.

const PERIOD_MS = 1000;
const connection = document.getElementById("connection");
const news = document.getElementById("news");

const board = () => document.getElementById("board");

const show = (html) => {
  const fresh = new DOMParser().parseFromString(html, "text/html").getElementById("board");
  const focused = board().contains(document.activeElement) ? document.activeElement : null;
  let arrived = 0;
  for (const card of fresh.querySelectorAll("article")) {
    const old = document.getElementById(card.id);
    if (old?.dataset.version === card.dataset.version) {
      // The old card keeps what is open, selected or focused in it.
      card.replaceWith(old);
      continue;
    }
    arrived += 1;
    if (old?.querySelector("details")?.open) card.querySelector("details").open = true;
  }
  board().replaceWith(fresh);
  if (focused) (focused.isConnected ? focused : document.getElementById(focused.id))?.focus();
  if (arrived) news.textContent = arrived === 1 ? "1 new message" : `${arrived} new messages`;
};

const say = (state, text) => {
  if (connection.dataset.state === state) return;
  connection.dataset.state = state;
  connection.textContent = text;
};

const refresh = async () => {
  try {
    const answer = await fetch(`/board${location.search}`, {
      cache: "no-store",
      headers: { "If-None-Match": board().dataset.version },
    });
    if (answer.status === 200) show(await answer.text());
    say("live", "Live");
  } catch {
    say("lost", "The sandbox no longer answers");
  }
  setTimeout(refresh, PERIOD_MS);
};

refresh();
