// A job that is followed live: words, bar and time from the events; the ladder is drawn by the
// server and taken over from the page, so that it looks the same with scripts and without.
"use strict";

(() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const head = one("[data-follow]");
  if (!head || head.dataset.live !== "yes") return;

  const clip = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

  function rounded(seconds) {
    if (seconds < 10) return `${Math.max(1, Math.round(seconds))}\u202fs`;
    if (seconds < 90) return `${Math.round(seconds / 5) * 5}\u202fs`;
    if (seconds < 5400) return `${Math.round(seconds / 60)}\u202fmin`;
    return `${(seconds / 3600).toFixed(1)}\u202fh`;
  }

  function size(bytes) {
    const units = ["B", "kB", "MB", "GB", "TB"];
    let at = 0;
    let value = bytes;
    while (value >= 999.5 && at < units.length - 1) { value /= 1000; at += 1; }
    return `${at && value < 9.95 ? value.toFixed(1) : Math.round(value)}\u202f${units[at]}`;
  }

  function page() {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.responseType = "document";
      request.onload = () => (request.status === 200 ? resolve(request.response) : reject(new Error(String(request.status))));
      request.onerror = () => reject(new TypeError("offline"));
      request.timeout = 8000;
      request.ontimeout = () => reject(new TypeError("late"));
      request.open("GET", location.pathname);
      request.setRequestHeader("Accept", "text/html");
      request.send();
    });
  }

  let drawing = false;
  let again = false;
  async function draw(parts) {
    if (drawing) { again = parts; return; }
    drawing = true;
    try {
      const fresh = await page();
      for (const name of parts) {
        const old = one(`[data-part=${name}]`);
        const next = one(`[data-part=${name}]`, fresh);
        if (!old || !next) continue;
        const focused = old.contains(document.activeElement) ? document.activeElement.textContent : null;
        old.replaceWith(document.adoptNode(next));
        if (focused) [...next.querySelectorAll("a, button")].find((node) => node.textContent === focused)?.focus();
      }
    } catch {
      // The next event draws it; until then the page says what it said.
    }
    drawing = false;
    if (again) { const wanted = again; again = false; await draw(wanted); }
  }

  function show(step) {
    const state = one("[data-state]");
    const bar = one("[data-bar]");
    const left = one("[data-left]");
    if (state) state.textContent = clip(step.message, 300);
    if (bar && step.fraction === null) bar.removeAttribute("value");
    else if (bar) bar.value = step.fraction;
    if (left) left.textContent = step.seconds_left === null ? "" : `about ${rounded(step.seconds_left)} left`;
    const bytes = one("[data-bytes]");
    const data = step.data;
    if (bytes && typeof data.total === "number") {
      const whole = data.whole_total ?? data.total;
      const done = data.whole_completed ?? data.completed ?? 0;
      const rate = data.bytes_per_second ? `, ${size(data.bytes_per_second)}/s` : "";
      bytes.textContent = `${size(done)} of ${size(whole)}${rate}`;
    }
  }

  function arrive(target) {
    const note = document.createElement("p");
    note.className = "arrived";
    note.setAttribute("role", "status");
    const stay = document.createElement("button");
    stay.type = "button";
    stay.className = "quiet";
    stay.textContent = "Stay here";
    note.append("Done. The page of what was made opens now. ", stay);
    one("[data-part=state]")?.prepend(note);
    const going = setTimeout(() => location.assign(target), 2500);
    stay.addEventListener("click", () => { clearTimeout(going); note.remove(); });
  }

  const source = new EventSource(`${head.dataset.follow}?after=${head.dataset.last}`);
  source.addEventListener("progress", (event) => {
    const step = JSON.parse(event.data);
    show(step);
    if (["rung", "choose", "data", "leaks"].includes(step.stage)) draw(["ladder"]);
  });
  for (const kind of ["started", "resumed", "snapshot"]) {
    source.addEventListener(kind, (event) => {
      const job = JSON.parse(event.data);
      if (["queued", "running"].includes(job.state)) draw(["state", "ladder"]);
      else end(job, job.state);
    });
  }
  for (const kind of ["done", "failed", "stopped", "interrupted"]) {
    source.addEventListener(kind, (event) => end(JSON.parse(event.data), kind));
  }

  // Whoever was away when it ended is told by a snapshot, and arrives like everybody else.
  async function end(job, state) {
    source.close();
    await draw(["state", "ladder"]);
    const target = job.next || (job.kind === "pull" && job.result ? `/specialists/${job.result.name}` : head.dataset.endsOn);
    if (state === "done" && target) arrive(target);
  }
  // A job that waits moves up without an event of its own.
  const waiting = setInterval(() => {
    if (source.readyState === EventSource.CLOSED) clearInterval(waiting);
    else if (document.visibilityState === "visible" && one("[data-state]")?.textContent.startsWith("Waiting")) draw(["state"]);
  }, 4000);
})();
