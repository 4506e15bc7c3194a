// The website's script: theme switch, copy, search keys.
// Everything it does also works without it, by a plain form or link; it writes text, never HTML.
"use strict";

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const one = (selector, root = document) => root.querySelector(selector);

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function clip(text, length) {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

function announce(text) {
  one("[data-announce]").textContent = text;
}

// ---- theme ----
function startTheme() {
  const button = one("[data-theme-switch]");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : system.matches;
  };
  const show = () => {
    button.textContent = isDark() ? "Light" : "Dark";
    button.setAttribute("aria-label", isDark() ? "Switch to light" : "Switch to dark");
  };
  button.addEventListener("click", () => {
    const next = isDark() ? "light" : "dark";
    // What the system has anyway is no choice: from there on it is followed again.
    const followed = (next === "dark") === system.matches;
    if (followed) delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    try {
      if (followed) localStorage.removeItem("theme");
      else localStorage.setItem("theme", next);
    } catch {
      // Without storage the choice lasts for this page.
    }
    show();
  });
  system.addEventListener("change", show);
  button.hidden = false;
  show();
}

// ---- copy ----
function startCopy() {
  if (!navigator.clipboard) return;
  for (const button of all("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(one("code", button.parentElement).textContent);
      button.textContent = "Copied";
      announce("Copied.");
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
  }
}

// ---- search and list keys ----
function startNarrowing() {
  const search = one("[data-search]");
  const rows = all("[data-list] [data-text]");
  if (!search || !rows.length) return;
  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) {
      const text = row.dataset.text.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
    const left = rows.filter((row) => !row.hidden).length;
    announce(`${left} of ${rows.length} shown.`);
  });
}

function moveInList(event, search) {
  const links = all("[data-list] [data-open]").filter((link) => link.checkVisibility());
  const at = links.indexOf(document.activeElement);
  if (!links.length || (at < 0 && event.target !== search)) return;
  event.preventDefault();
  const next = event.key === "ArrowDown" ? Math.min(at + 1, links.length - 1) : at - 1;
  (next < 0 && search ? search : links[Math.max(next, 0)]).focus();
}

function leave(event, search) {
  const open = event.target.closest?.("details[open]");
  const summary = open && one("summary", open);
  if (event.target === search) {
    if (search.value === "") search.blur();
    search.value = "";
    search.dispatchEvent(new Event("input", { bubbles: true }));
  } else if (summary?.checkVisibility()) {
    open.open = false;
    summary.focus();
  } else if (search && event.target.matches?.("[data-open]")) {
    search.focus();
  }
}

function startKeys() {
  const search = one("[data-search]");
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const typing = event.target.matches?.("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !typing) {
      event.preventDefault();
      if (!search) location.assign("/#q");
      search?.focus();
      search?.select();
    } else if (event.key === "Escape") {
      leave(event, search);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      moveInList(event, search);
    }
  });
  // The address that "/" leads to from pages without a search box.
  if (location.hash === "#q") search?.focus();
}

startTheme();
startCopy();
startNarrowing();
startKeys();
