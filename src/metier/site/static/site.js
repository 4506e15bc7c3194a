// The website's script: theme switch, copy, search keys, try boxes, a job that is followed live.
// Everything it does also works without it, by a plain form or link; it writes text, never HTML.
"use strict";

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const one = (selector, root = document) => root.querySelector(selector);
const SVG = "http://www.w3.org/2000/svg";

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
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
    document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem("theme", next);
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

// ---- try boxes ----
function percent(share) {
  return `${(share * 100).toFixed(1)}\u202f%`;
}

function meter(share) {
  const svg = document.createElementNS(SVG, "svg");
  const set = (node, values) => Object.entries(values).forEach(([k, v]) => node.setAttribute(k, v));
  set(svg, { class: "chart probability", width: "100%", height: 8, "aria-hidden": "true" });
  for (const [kind, width] of [["track", 1], ["share", share]]) {
    const rect = document.createElementNS(SVG, "rect");
    set(rect, { class: kind, width: `${Math.max(0, Math.min(1, width)) * 100}%`, height: 8, rx: 1 });
    svg.append(rect);
  }
  return svg;
}

function clip(text, length) {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

function showAnswer(box, result, ms) {
  const took = element("span", { class: "took" }, ` ${ms < 10 ? ms.toFixed(1) : Math.round(ms)}\u202fms`);
  const line = element("p", { class: "label" });
  if (result.label !== null) {
    line.append(element("bdi", {}, clip(result.label, 120)), took);
  } else {
    const why = result.out_of_scope
      ? "Out of scope: it looks unlike everything this specialist was made for."
      : "It abstains: it is not sure enough.";
    line.append(`${why} Its best guess: `, element("bdi", {}, clip(result.best, 120)), ".", took);
  }
  const scores = element("ol", { class: "scores" });
  for (const { label, probability } of result.scores.slice(0, 5)) {
    scores.append(element("li", {},
      element("span", { class: "name" }, element("bdi", {}, clip(label, 80))),
      element("span", { class: "meter" }, meter(probability)),
      element("span", { class: "share" }, percent(probability))));
  }
  box.replaceChildren(line, scores);
}

function startTry() {
  for (const form of all("[data-try]")) {
    const box = one("[data-answer]", form);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const fields = new FormData(form);
      const slow = setTimeout(() => box.replaceChildren(element("p", { class: "facts" }, "Asking …")), 300);
      try {
        const started = performance.now();
        const reply = await fetch("/v1/classify", {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ model: fields.get("name"), input: fields.get("text"), top: 5 }),
        });
        const answer = await reply.json();
        clearTimeout(slow);
        if (!reply.ok) throw new Error(answer.error.message);
        showAnswer(box, answer.results[0], performance.now() - started);
      } catch (error) {
        clearTimeout(slow);
        box.replaceChildren(element("p", { class: "problem" }, error.message));
      }
    });
  }
}

// ---- make ----
function quoted(value) {
  return /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", `'"'"'`)}'`;
}

function startMake() {
  const form = one("[data-make]");
  if (!form) return;
  const shown = one("[data-command]", form);
  const name = one("#name", form);
  const fileName = (id) => one(`#${id}`, form).files[0]?.name ?? "";
  const show = () => {
    const words = ["metier make --task classify --data", quoted(fileName("data") || "FILE"), "--name", quoted(name.value || "NAME")];
    if (fileName("eval")) words.push("--eval", quoted(fileName("eval")));
    for (const field of ["text", "label", "group", "budget"]) {
      const value = one(`#${field}`, form).value.trim();
      if (value) words.push(`--${field}`, quoted(value));
    }
    const seed = one("#seed", form).value.trim();
    if (seed && seed !== "0") words.push("--seed", quoted(seed));
    if (one("#drop_leaks", form).checked) words.push("--drop-leaks");
    shown.textContent = words.join(" ");
  };
  one("#data", form).addEventListener("change", () => {
    if (!name.value) {
      name.value = fileName("data").replace(/\.[^.]+$/, "").toLowerCase().replace(/[^a-z0-9_.-]+/g, "-").replace(/^[-.]+|[-.]+$/g, "");
    }
  });
  form.addEventListener("input", show);
  form.addEventListener("change", show);
  show();
}

// ---- a job, live ----
function few(number) {
  if (number >= 10) return Math.round(number).toLocaleString("en");
  return number >= 1 ? number.toFixed(1) : String(Number(number.toPrecision(2)));
}

function size(bytes) {
  if (bytes === null || bytes === undefined) return "not measured";
  const units = ["B", "kB", "MB", "GB"];
  let at = 0;
  let value = bytes;
  while (value >= 999.5 && at < units.length - 1) { value /= 1000; at += 1; }
  return `${at ? few(value) : value}\u202f${units[at]}`;
}

function duration(seconds) {
  if (seconds === null || seconds === undefined) return "not measured";
  if (seconds < 60) return `${seconds >= 0.01 ? few(seconds) : "0"}\u202fs`;
  return `${Math.floor(seconds / 60)}\u202fmin ${Math.round(seconds % 60)}\u202fs`;
}

function rungRow(number, rung) {
  const score = rung.accuracy;
  const points = (share) => (share * 100).toFixed(1);
  const words = score
    ? percent(score.value) + (score.interval ? ` (${points(score.interval.low)} to ${points(score.interval.high)})` : "")
    : "not measured";
  if (!score && rung.state !== undefined && rung.state !== "tried") {
    const why = element("td", { class: "facts", colspan: 4 }, clip(rung.why || "not tried", 300));
    const left = element("th", { scope: "row" }, element("bdi", {}, clip(rung.title ?? rung.name, 80)), " ", element("span", { class: "state" }, clip(rung.state, 20)));
    return element("tr", { class: "fresh", "data-rung": clip(rung.name, 60) }, element("td", { class: "number" }, String(number)), left, why);
  }
  const quality = element("td", { class: "quality" });
  quality.append(element("span", {}, words));
  if (score) quality.append(meter(score.value));
  const title = element("th", { scope: "row" }, element("bdi", {}, clip(rung.title ?? rung.name, 80)));
  if (rung.state === "chosen") title.append(" ", element("span", { class: "chosen-word" }, "chosen"));
  else if (rung.state && rung.state !== "tried") title.append(" ", element("span", { class: "state" }, clip(rung.state, 20)));
  const cell = (text) => element("td", { class: "number" }, text);
  const shared = rung.shared_bytes ? ` + ${size(rung.shared_bytes)} shared` : "";
  const speed = typeof rung.ms_per_text === "number" ? `${few(rung.ms_per_text)}\u202fms` : "not measured";
  return element("tr", { class: `${rung.state === "chosen" ? "chosen" : "tried"} fresh`, "data-rung": clip(rung.name, 60) },
    cell(String(number)), title, quality, cell(speed), element("td", { class: "size" }, size(rung.size_bytes) + shared), cell(duration(rung.seconds)));
}

function showRung(rung) {
  const body = one("[data-ladder] tbody");
  if (!body || typeof rung?.name !== "string") return;
  one("[data-empty]")?.remove();
  const old = all("[data-rung]", body).find((row) => row.dataset.rung === clip(rung.name, 60));
  const number = old ? [...body.children].indexOf(old) + 1 : body.children.length + 1;
  const row = rungRow(number, rung);
  if (old) old.replaceWith(row);
  else body.append(row);
}

function startJob() {
  const head = one("[data-job]");
  if (!head || head.dataset.live !== "yes") return;
  const bar = one("progress", head);
  const state = one("[data-state]", head);
  const source = new EventSource(`/metier/v1/jobs/${head.dataset.job}/events`);
  source.addEventListener("progress", (event) => {
    const step = JSON.parse(event.data);
    state.textContent = clip(step.message, 300);
    if (step.fraction === null) bar.removeAttribute("value");
    else bar.value = step.fraction;
    one("[data-left]", head).textContent = step.seconds_left === null ? "" : `about ${duration(step.seconds_left)} left`;
    if (step.stage === "rung") showRung(step.data);
    if (step.stage === "choose") (step.data.ladder ?? []).forEach(showRung);
  });
  for (const kind of ["done", "failed", "stopped"]) {
    source.addEventListener(kind, () => {
      source.close();
      if (kind === "done" && head.dataset.target) location.assign(head.dataset.target);
      else location.reload();
    });
  }
}

startTheme();
startCopy();
startNarrowing();
startKeys();
startTry();
startMake();
startJob();
