/* Keeps a page current: when something happened, the page is asked for once more, and what is
   marked as fresh is exchanged for what it says now. What somebody is typing in stays as it is.
   What is under way arrives without a word: its page is asked for again until it is there. */
"use strict";
(() => {
  const root = document.querySelector("[data-live]");
  if (!root || !document.querySelector("[data-fresh]")) return;
  const PAUSE_MS = 1500;
  let source = null;
  let waiting = null;
  let asking = false;

  const same = (region) => `[data-fresh="${CSS.escape(region.dataset.fresh)}"]`;
  const isBusy = (region) => region.contains(document.activeElement) && document.activeElement.matches("input, select, textarea");

  const exchange = (old, fresh) => {
    if (old.innerHTML === fresh.innerHTML || isBusy(old)) return;
    const focused = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    const open = [...old.querySelectorAll("details")].map((each) => each.open);
    old.replaceChildren(...fresh.childNodes);
    old.querySelectorAll("details").forEach((each, at) => { each.open = open[at] ?? each.open; });
    if (focused) old.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    old.dispatchEvent(new CustomEvent("bursar:fresh", { bubbles: true }));
  };

  const ask = async () => {
    waiting = null;
    if (asking) return hear();
    asking = true;
    try {
      const answer = await fetch(location.href, { headers: { "X-Console-Live": "1" }, redirect: "manual" });
      if (!answer.ok) return close();
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      document.querySelectorAll("[data-fresh]").forEach((old) => {
        const fresh = page.querySelector(same(old));
        if (fresh) exchange(old, fresh);
      });
    } catch { /* the stream comes back, and with it the next try */ } finally {
      asking = false;
      follow();
    }
  };

  const follow = () => { if (source && document.querySelector("[data-under-way]")) hear(); };
  const hear = () => { waiting ??= setTimeout(ask, PAUSE_MS); };
  const close = () => { source?.close(); source = null; root.classList.remove("is-live"); };
  const open = () => {
    if (source || document.hidden) return;
    source = new EventSource(root.dataset.live);
    source.onopen = () => root.classList.add("is-live");
    source.addEventListener("changed", hear);
    follow();
  };

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return close();
    open();
    hear();
  });
  addEventListener("pagehide", close);
  open();
})();
