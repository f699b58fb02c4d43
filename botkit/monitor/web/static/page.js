// Follows the stream of checks and shows the page as it is now; without it the page is as it was.
"use strict";

const QUIETLY_AGAIN = 30000; // What no check tells of: what is due, how long it has been.
const AT_MOST_EVERY = 1000;

const live = document.getElementById("live");
const word = document.getElementById("live-word");

function say(state) {
  live.hidden = false;
  live.classList.toggle("off", state !== "live");
  word.textContent = state;
}

// A field that somebody is in, or has filled in, is left alone.
function inUse(part) {
  return part.contains(document.activeElement) && document.activeElement.matches("input, select");
}

async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.title = fresh.title;
  for (const part of document.querySelectorAll("[data-live]")) {
    const now = fresh.getElementById(part.id);
    if (now && !inUse(part)) part.replaceChildren(...now.childNodes), (part.className = now.className);
  }
}

let wanted = null;
function refreshSoon() {
  if (wanted !== null) return;
  wanted = setTimeout(async () => {
    try {
      await refresh();
    } catch {
      say("offline");
    } finally {
      wanted = null;
    }
  }, AT_MOST_EVERY);
}

if (live && document.querySelector("#summary[data-live]")) {
  const stream = new EventSource("/api/events");
  let before = false;
  stream.onopen = () => {
    say("live");
    if (before) refreshSoon(); // What came while the stream was broken.
    before = true;
  };
  stream.onerror = () => say("offline");
  stream.addEventListener("checked", refreshSoon);
  setInterval(refreshSoon, QUIETLY_AGAIN);
}
