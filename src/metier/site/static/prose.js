// What a model wrote, as nodes: paragraphs, headings, lists, quotes, code with a copy button.
// It makes elements and text nodes only, never markup, so nothing that a model writes can run; a
// link is followed only where it starts with http or https, and nothing is ever fetched for it.
"use strict";

const MOST = 200_000;
const FENCE = /^ {0,3}(`{3,}|~{3,})[ \t]*([^\n`]*)$/;
const INLINE = /`([^`\n]+)`|\*\*([^*\n]+)\*\*|\[([^\]\n]{1,300})\]\(([^)\s]{1,900})\)/g;

export function element(name, className, ...children) {
  const node = document.createElement(name);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

/** Blocks of a text: `{kind, text, info}`; a fence that is never closed goes to the end. */
export function blocks(text) {
  const found = [];
  let held = [];
  let fence = null;
  let info = "";
  const put = (kind) => {
    const body = held.join("\n");
    held = [];
    if (kind === "code") found.push({ kind, text: body, info });
    else if (body.trim()) found.push(...paragraphs(body));
  };
  for (const line of text.slice(0, MOST).split("\n")) {
    const mark = FENCE.exec(line);
    if (fence === null && mark) {
      put("prose");
      fence = mark[1];
      info = mark[2].trim();
    } else if (fence !== null && closes(line, fence)) {
      put("code");
      fence = null;
    } else held.push(line);
  }
  put(fence === null ? "prose" : "code");
  if (text.length > MOST) found.push({ kind: "plain", text: text.slice(MOST) });
  return found;
}

function closes(line, fence) {
  const bare = line.trim();
  return bare.length >= fence.length && bare === fence[0].repeat(bare.length);
}

function paragraphs(body) {
  return body.split(/\n[ \t]*\n/).filter((part) => part.trim()).map((part) => {
    const lines = part.replace(/^\n+|\n+$/g, "").split("\n");
    if (lines.length === 1 && /^#{1,6} /.test(lines[0])) {
      return { kind: "heading", text: lines[0].replace(/^#+ +/, "") };
    }
    if (lines.every((line) => /^\s*(?:[-*+]|\d{1,4}[.)])\s/.test(line))) {
      return { kind: /^\s*\d/.test(lines[0]) ? "numbers" : "points", text: lines.join("\n") };
    }
    if (lines.every((line) => line.startsWith(">"))) {
      return { kind: "quote", text: lines.map((line) => line.replace(/^> ?/, "")).join("\n") };
    }
    return { kind: "words", text: lines.join("\n") };
  });
}

/** Runs of a line: text, code, strong, links. */
export function inline(text) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > end) nodes.push(text.slice(end, match.index));
    const [, code, strong, shown, to] = match;
    if (code !== undefined) nodes.push(element("code", "", code));
    else if (strong !== undefined) nodes.push(element("strong", "", strong));
    else nodes.push(/^https?:\/\//.test(to) ? link(shown, to) : shown);
    end = match.index + match[0].length;
  }
  if (end < text.length) nodes.push(text.slice(end));
  return nodes;
}

function link(shown, to) {
  const node = element("a", "", shown);
  node.href = to;
  node.rel = "noreferrer noopener";
  return node;
}

function node(block) {
  if (block.kind === "code") return code(block);
  if (block.kind === "heading") return element("p", "heading", ...inline(block.text));
  if (block.kind === "plain") return element("p", "words", block.text);
  if (block.kind === "quote") return element("blockquote", "", ...inline(block.text));
  if (block.kind === "points" || block.kind === "numbers") {
    const items = block.text.split("\n").map((line) =>
      element("li", "", ...inline(line.replace(/^\s*(?:[-*+]|\d{1,4}[.)])\s+/, ""))));
    return element(block.kind === "points" ? "ul" : "ol", "", ...items);
  }
  return element("p", "words", ...inline(block.text));
}

function code(block) {
  const pre = element("pre", "", element("code", "", block.text));
  pre.tabIndex = 0;
  pre.setAttribute("aria-label", "Code");
  const box = element("div", "copied", pre);
  if (navigator.clipboard) {
    const button = element("button", "quiet", "Copy");
    button.type = "button";
    button.addEventListener("click", () => copy(button, pre.textContent));
    box.append(button);
  }
  const figure = element("figure", "code");
  if (block.info) figure.append(element("figcaption", "", element("bdi", "", block.info.slice(0, 120))));
  figure.append(box);
  return figure;
}

export async function copy(button, text) {
  await navigator.clipboard.writeText(text);
  const before = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = before; }, 1500);
}

/** Shows `text` in `place`; blocks that did not change keep their nodes. */
export function show(place, text) {
  const old = place.drawn ?? [];
  const now = blocks(text);
  let same = 0;
  const equal = (a, b) => a && b && a.kind === b.kind && a.text === b.text && a.info === b.info;
  while (same < now.length && equal(old[same], now[same])) same += 1;
  while (place.childNodes.length > same) place.lastChild.remove();
  place.append(...now.slice(same).map(node));
  place.drawn = now;
}
