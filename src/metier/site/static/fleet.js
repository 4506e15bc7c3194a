// Fleet: memory, downloads and the list follow what happens, while the page is looked at. The
// server draws them; a part is taken over when it changed and nobody is at work in it.
"use strict";

(() => {
  const parts = ["resident", "memory", "disk", "downloads", "list"];
  const one = (selector, root = document) => root.querySelector(selector);
  const BUSY = 1500;
  const CALM = 5000;

  function page() {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.responseType = "document";
      request.onload = () => (request.status === 200 ? resolve(request.response) : reject(new Error(String(request.status))));
      request.onerror = () => reject(new TypeError("offline"));
      request.open("GET", location.pathname + (new URLSearchParams(location.search).has("q") ? location.search : ""));
      request.setRequestHeader("Accept", "text/html");
      request.send();
    });
  }

  function take(fresh) {
    for (const name of parts) {
      const old = one(`[data-part=${name}]`);
      const next = one(`[data-part=${name}]`, fresh);
      if (!old || !next || old.contains(document.activeElement) || old.isEqualNode(next)) continue;
      old.replaceWith(document.adoptNode(next));
    }
  }

  // The list is narrowed by the site's script; a fresh one would show everything again.
  const narrowed = () => Boolean(one("[data-search]")?.value) && !new URLSearchParams(location.search).has("q");

  async function look() {
    if (document.visibilityState === "visible" && !narrowed()) {
      try {
        take(await page());
      } catch {
        // The server is away; what is shown was true when it was last asked.
      }
    }
    setTimeout(look, one(".downloads progress") ? BUSY : CALM);
  }

  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!button || !event.target.action.endsWith("/fleet/load")) return;
    button.textContent = "Loading …";
    setTimeout(() => { button.disabled = true; }, 0);
  });
  setTimeout(look, one(".downloads progress") ? BUSY : CALM);
})();
