// Answers of a classifier as nodes: text, never HTML. The boxes of texts and of pictures share it.
"use strict";

const SVG = "http://www.w3.org/2000/svg";

export function made(name, className, ...children) {
  const node = document.createElement(name);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

export function isolated(text, length = 200) {
  const shown = text.length > length ? `${text.slice(0, length - 1)}…` : text;
  return made("bdi", "", shown);
}

function drawn(name, attributes, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

function meter(share) {
  const wide = { height: 8, rx: 1 };
  return drawn("svg", { class: "chart probability", width: "100%", height: 8, "aria-hidden": "true" },
    drawn("rect", { class: "track", width: "100%", ...wide }),
    drawn("rect", { class: "share", width: `${Math.max(0, Math.min(1, share)) * 100}%`, ...wide }));
}

export function few(number) {
  if (number >= 10) return Math.round(number).toLocaleString("en");
  return number >= 1 ? number.toFixed(1) : String(Number(number.toPrecision(2)));
}

function verdict(result) {
  if (result.label !== null) return made("p", "label", isolated(result.label, 120));
  const why = result.out_of_scope
    ? "Out of scope: it looks unlike everything this specialist was made for."
    : "It abstains: it is not sure enough.";
  return made("p", "label", `${why} Its best guess: `, isolated(result.best, 120), ".");
}

function scores(result, most) {
  const rows = result.scores.slice(0, most).map(({ label, probability }) =>
    made("li", "",
      made("span", "name", isolated(label, 80)),
      made("span", "meter", meter(probability)),
      made("span", "share", `${(probability * 100).toFixed(1)}\u202f%`)));
  return made("ol", "scores", ...rows);
}

// The label, or why there is none, and the best scores.
export function answerNodes(result, most) {
  return [verdict(result), scores(result, most)];
}
