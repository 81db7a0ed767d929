// Fetches the page anew every few seconds and puts its content in place. Without this script the page is complete too.
"use strict";
(() => {
  const script = document.currentScript;
  const every = Number(script.dataset.seconds) * 1000;
  const KEY = "loketwacht-paused";
  let etag = null;
  let paused = false;
  try { paused = localStorage.getItem(KEY) === "1"; } catch { /* storage may be forbidden */ }

  const button = () => document.getElementById("pause");
  function dress() {
    button().hidden = false;
    button().textContent = paused ? button().dataset.resume : button().dataset.pause;
  }

  function say(sentence, look) {
    const announcer = document.getElementById("announce");
    announcer.className = look;
    if (announcer.textContent !== sentence) announcer.textContent = sentence;
  }

  function put(fresh) {
    const open = new Set([...document.querySelectorAll("details[open][id]")].map((d) => d.id));
    const focused = document.activeElement;
    const place = focused && (focused.id || focused.closest("details")?.id);
    const before = document.querySelector("h1").textContent;
    const announcer = document.getElementById("announce"); // kept: a live region must stay to be heard
    const main = document.importNode(fresh.querySelector("main"), true);
    main.querySelector("#announce").replaceWith(announcer);
    for (const id of open) main.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
    document.querySelector("main").replaceWith(main);
    document.getElementById("generated").replaceWith(document.importNode(fresh.getElementById("generated"), true));
    document.querySelector("link[rel=icon]").href = fresh.querySelector("link[rel=icon]").href;
    document.title = fresh.title;
    dress();
    if (place) {
      const again = document.getElementById(place);
      (again?.matches("details") ? again.querySelector("summary") : again)?.focus({ preventScroll: true });
    }
    const now = document.querySelector("h1").textContent;
    say(now === before ? "" : now, "unseen");
  }

  async function refresh() {
    if (paused || document.hidden) return;
    try {
      const answer = await fetch(location.href, {
        cache: "no-store",
        headers: etag ? { "If-None-Match": etag } : {},
        signal: AbortSignal.timeout(10000),
      });
      if (answer.status === 304) {
        if (document.getElementById("announce").className === "failed") say("", "unseen");
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      etag = answer.headers.get("ETag");
      put(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      say(script.dataset.failed, "failed");
    }
  }

  document.addEventListener("click", (event) => {
    if (event.target.id !== "pause") return;
    paused = !paused;
    try { localStorage.setItem(KEY, paused ? "1" : "0"); } catch { /* storage may be forbidden */ }
    dress();
    if (!paused) refresh();
  });
  document.addEventListener("visibilitychange", refresh);
  dress();
  setInterval(refresh, every);
})();
