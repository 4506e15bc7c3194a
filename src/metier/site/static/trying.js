// Find by eval: files can be dropped, and the rounds of a running search are drawn as they end.
// The drawing comes from the server as part of the page; this script writes no HTML of its own.
"use strict";

(() => {
  const form = document.querySelector("[data-trying]");
  const zone = form?.querySelector("[data-drop]");
  if (zone) {
    const input = zone.querySelector("input[type=file]");
    zone.querySelector("[data-drop-hint]").hidden = false;
    const look = () => form.requestSubmit(form.querySelector("button[value=look]"));
    input.addEventListener("change", () => { if (input.files.length) look(); });
    for (const kind of ["dragover", "dragleave", "drop"]) {
      form.addEventListener(kind, (event) => {
        if (!event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        zone.classList.toggle("over", kind === "dragover");
        if (kind !== "drop" || !event.dataTransfer.files.length) return;
        input.files = event.dataTransfer.files;
        look();
      });
    }
  }

  const head = document.querySelector("[data-search-job]");
  if (!head || head.dataset.live !== "yes") return;
  const bar = head.querySelector("progress");
  const left = head.querySelector("[data-left]");
  const said = head.querySelector("[data-state]");
  let busy = false;
  let again = false;
  function put(fresh) {
    const old = document.querySelector("[data-rounds]");
    if (!fresh || !old) return;
    const open = old.querySelector("details")?.open ?? false;
    old.replaceWith(document.adoptNode(fresh));
    const table = document.querySelector("[data-rounds] details");
    if (table) table.open = open;
  }
  function redraw() {
    if (busy) { again = true; return; }
    busy = true;
    const request = new XMLHttpRequest();
    request.responseType = "document";
    request.open("GET", location.pathname);
    request.setRequestHeader("accept", "text/html");
    request.addEventListener("load", () => put(request.response?.querySelector("[data-rounds]")));
    request.addEventListener("loadend", () => {
      busy = false;
      if (again) { again = false; redraw(); }
    });
    request.send();
  }
  function time(seconds) {
    if (seconds < 60) return `${Math.max(1, Math.round(seconds))}\u202fs`;
    return `${Math.floor(seconds / 60)}\u202fmin ${Math.round(seconds % 60)}\u202fs`;
  }
  const source = new EventSource(`/metier/v1/jobs/${head.dataset.searchJob}/events?after=${head.dataset.last}`);
  source.addEventListener("progress", (event) => {
    const step = JSON.parse(event.data);
    said.textContent = step.message.slice(0, 300);
    if (step.fraction === null) bar.removeAttribute("value");
    else bar.value = step.fraction;
    left.textContent = step.seconds_left === null ? "" : `about ${time(step.seconds_left)} left`;
    if (step.stage !== "round") return;
    document.querySelector("[data-announce]").textContent = step.message;
    redraw();
  });
  for (const kind of ["done", "failed", "stopped", "interrupted"]) {
    source.addEventListener(kind, () => { source.close(); location.reload(); });
  }
})();
