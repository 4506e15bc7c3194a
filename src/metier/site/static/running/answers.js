// Draws an answer as the server's try box does: the label or why there is none, then the scores.
// It writes text, never HTML.

const SVG = "http://www.w3.org/2000/svg";

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const clip = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);
const isolated = (text, length) => element("bdi", {}, clip(text, length));

export function milliseconds(ms) {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)}\u202fms`;
}

/** Bytes for people, as the server writes them. */
export function size(bytes) {
  const units = ["B", "kB", "MB", "GB"];
  let value = bytes;
  let at = 0;
  for (; value >= 999.5 && at < units.length - 1; at += 1) value /= 1000;
  const whole = !at || value >= 10;
  return `${whole ? Math.round(value) : value.toFixed(1)}\u202f${units[at]}`;
}

function meter(share) {
  const svg = document.createElementNS(SVG, "svg");
  const set = (node, values) => Object.entries(values).forEach(([key, value]) => node.setAttribute(key, value));
  set(svg, { class: "chart probability", width: "100%", height: 8, "aria-hidden": "true" });
  for (const [kind, width] of [["track", 1], ["share", share]]) {
    const bar = document.createElementNS(SVG, "rect");
    set(bar, { class: kind, width: `${Math.max(0, Math.min(1, width)) * 100}%`, height: 8, rx: 1 });
    svg.append(bar);
  }
  return svg;
}

/** Shows one answer in `box`. */
export function show(box, answer, ms) {
  const took = element("span", { class: "took" }, ` ${milliseconds(ms)}`);
  const line = element("p", { class: "label" });
  if (answer.label !== null) {
    line.append(isolated(answer.label, 120), took);
  } else {
    const why = answer.out_of_scope
      ? "Out of scope: it looks unlike everything this specialist was made for."
      : "It abstains: it is not sure enough.";
    line.append(`${why} Its best guess: `, isolated(answer.best, 120), ".", took);
  }
  const scores = answer.scores.slice(0, 5).map(({ label, probability }) =>
    element("li", {},
      element("span", { class: "name" }, isolated(label, 80)),
      element("span", { class: "meter" }, meter(probability)),
      element("span", { class: "share" }, `${(probability * 100).toFixed(1)}\u202f%`)));
  box.replaceChildren(line, element("ol", { class: "scores" }, ...scores));
}
