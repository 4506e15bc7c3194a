// Find: results that follow the typing. The page is fetched as a person without scripts would get
// it and its parts are put in place; nothing is drawn here, so both ways always look alike.
"use strict";

(() => {
  const WAIT = 120; // Milliseconds of quiet before a search: shorter than a pause between words.
  const SLOW = 300; // From here on it is said that something is going on.
  const form = document.querySelector("[data-find]");
  const box = document.querySelector("#q");
  const part = (name, root = document) => root.querySelector(`[data-part="${name}"]`);
  let asked = 0;
  let running = null;
  let waiting = 0;

  function wanted() {
    const given = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      const plain = name === "order" && value === "best";
      if (typeof value === "string" && value.trim() !== "" && !plain) given.append(name, value);
    }
    const text = given.toString();
    return text ? `/?${text}` : "/";
  }

  function fetched(address) {
    running?.abort();
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      running = request;
      request.responseType = "document";
      request.onload = () => {
        const found = request.response;
        if (found && part("results", found)) resolve(found);
        else reject(new Error(found?.querySelector("main p")?.textContent ?? "No answer."));
      };
      request.onerror = () => reject(new Error("Metier does not answer. Does it still run?"));
      request.open("GET", address);
      request.setRequestHeader("Accept", "text/html");
      request.send();
    });
  }

  function put(found) {
    const focused = document.activeElement?.id;
    const folds = () => part("filters").querySelectorAll("details");
    const folded = Array.from(folds(), (one) => one.open);
    for (const name of ["filters", "results"]) {
      part(name).replaceWith(document.adoptNode(part(name, found)));
    }
    folds().forEach((one, index) => { one.open ||= folded[index] ?? false; });
    document.querySelector("[data-find-command]").textContent =
      found.querySelector("[data-find-command]").textContent;
    document.title = found.title;
    const again = focused && document.getElementById(focused);
    if (again && again !== document.activeElement) again.focus({ preventScroll: true });
    document.querySelector("[data-announce]").textContent =
      document.querySelector("[data-count]").textContent;
  }

  async function show(address, remember) {
    const mine = ++asked;
    const slow = setTimeout(() => part("results").setAttribute("aria-busy", "true"), SLOW);
    try {
      const found = await fetched(address);
      if (mine !== asked) return;
      put(found);
      if (remember) history[remember]({ find: true }, "", address);
    } catch (error) {
      if (mine !== asked) return;
      part("results").removeAttribute("aria-busy");
      document.querySelector("[data-count]").textContent = error.message;
    } finally {
      clearTimeout(slow);
    }
  }

  const here = () => location.pathname + location.search;
  // While one types the address follows; a step back leads to what was there before the typing.
  let typing = false;
  function typed() {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const address = wanted();
      if (address === here()) return;
      show(address, typing ? "replaceState" : "pushState");
      typing = true;
    }, WAIT);
  }

  function chosen() {
    clearTimeout(waiting);
    typing = false;
    const address = wanted();
    if (address !== here()) show(address, "pushState");
  }

  box.addEventListener("input", typed);
  box.addEventListener("change", () => { typing = false; });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    chosen();
  });
  document.addEventListener("change", (event) => {
    if (event.target.form === form && event.target !== box) chosen();
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-find-link]");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    const address = link.pathname + link.search;
    typing = false;
    show(address, "pushState").then(() => {
      box.value = new URLSearchParams(location.search).get("q") ?? "";
      if (link.rel) {
        scrollTo({ top: part("results").offsetTop });
        document.querySelector("[data-open]")?.focus({ preventScroll: true });
      }
    });
  });
  addEventListener("popstate", () => {
    typing = false;
    box.value = new URLSearchParams(location.search).get("q") ?? "";
    show(here(), "");
  });
})();
