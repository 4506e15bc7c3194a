// Make: a file can be dropped, its sending is shown, and changed columns are looked at at once.
// Everything here also works without it, by the plain forms; it writes text, never HTML.
"use strict";

(() => {
  const one = (selector, root = document) => root.querySelector(selector);

  function duration(seconds) {
    return seconds < 60 ? `${Math.max(1, Math.round(seconds))}\u202fs` : `${Math.round(seconds / 60)}\u202fmin`;
  }

  function startDrop(form) {
    const place = one("[data-drop]", form);
    const input = one("input[type=file]", place);
    one("[data-can-drop]", place).hidden = false;
    const stop = (event) => { event.preventDefault(); };
    for (const kind of ["dragenter", "dragover"]) {
      document.addEventListener(kind, (event) => { stop(event); place.classList.add("over"); });
    }
    for (const kind of ["dragleave", "drop"]) {
      document.addEventListener(kind, (event) => { stop(event); place.classList.remove("over"); });
    }
    document.addEventListener("drop", (event) => {
      if (!event.dataTransfer?.files.length) return;
      input.files = event.dataTransfer.files;
      form.requestSubmit();
    });
  }

  function startSending(form) {
    const shown = one("[data-sent]", form);
    const said = one("[data-sent-words]", form);
    const bar = one("progress", shown);
    const button = one("button[type=submit]", form);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const request = new XMLHttpRequest();
      const began = performance.now();
      button.disabled = true;
      const slow = setTimeout(() => { shown.hidden = false; }, 300);
      const over = (text) => {
        clearTimeout(slow);
        shown.hidden = false;
        bar.hidden = true;
        said.textContent = text;
        button.disabled = false;
      };
      bar.hidden = false;
      bar.removeAttribute("value");
      said.textContent = "Sending.";
      request.upload.addEventListener("progress", (sent) => {
        if (!sent.lengthComputable) return;
        bar.value = sent.loaded / sent.total;
        const spent = (performance.now() - began) / 1000;
        const left = sent.loaded ? (spent * (sent.total - sent.loaded)) / sent.loaded : 0;
        said.textContent = left > 1 ? `Sending, about ${duration(left)} left.` : "Sending.";
      });
      request.upload.addEventListener("load", () => {
        bar.removeAttribute("value");
        said.textContent = "Looking at the rows.";
      });
      request.addEventListener("load", () => {
        clearTimeout(slow);
        if (request.status < 400) {
          location.assign(request.responseURL);
          return;
        }
        const problem = request.response?.querySelector("[role=alert], .lead");
        over(problem?.textContent.trim() ?? `The server answered ${request.status}.`);
      });
      request.addEventListener("error", () => over("The server cannot be reached; nothing was sent."));
      request.responseType = "document";
      request.open("POST", form.action);
      request.setRequestHeader("Accept", "text/html");
      request.send(new FormData(form));
    });
  }

  function startLooking(form) {
    const again = one('button[value="look"]', form);
    if (!again) return;
    form.addEventListener("change", (event) => {
      if (event.target.matches("[data-look-again]")) form.requestSubmit(again);
    });
    form.addEventListener("submit", (event) => {
      if (event.submitter?.value === "look") sessionStorage.setItem("looked-at", String(scrollY));
    });
    const before = sessionStorage.getItem("looked-at");
    if (before !== null) {
      sessionStorage.removeItem("looked-at");
      scrollTo(0, Number(before));
    }
  }

  const sending = one("[data-sending]");
  if (sending) {
    startDrop(sending);
    startSending(sending);
  }
  const looked = one("[data-looked]");
  if (looked) startLooking(looked);
})();
