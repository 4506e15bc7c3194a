// The try box of a classifier of pictures: dropped, pasted or chosen files, previews beside the
// answers. It asks /metier/v1/classify-image as any client does; without it the form does the same.
import { answerNodes, few, made } from "./answering.js";

const MOST = 64;

function preview(file) {
  const image = made("img", "");
  image.alt = "";
  image.src = URL.createObjectURL(file);
  image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
  image.addEventListener("error", () => image.remove(), { once: true });
  return image;
}

function answers(files, reply) {
  const single = files.length === 1;
  const nodes = files.map((file, place) => {
    const result = reply.results[place];
    const part = made("section", "tried seen", preview(file),
      made("p", "given", made("bdi", "", file.name.slice(0, 200))), ...answerNodes(result, single ? 5 : 2));
    part.setAttribute("aria-label", `Answer ${place + 1}`);
    return part;
  });
  const ms = reply.usage.milliseconds;
  const said = `${files.length} ${single ? "picture" : "pictures"} in ${few(ms)}\u202fms on the server`;
  return [...nodes, made("p", "facts took", said)];
}

function start(form) {
  const box = form.querySelector("[data-answer]");
  const input = form.querySelector("input[type=file]");
  const drop = form.querySelector("[data-drop]");
  drop.querySelector("[data-hint]").hidden = false;
  const problem = (said) => box.replaceChildren(made("p", "problem", said));

  async function ask(files) {
    if (!files.length || files.length > MOST) {
      problem(`Choose 1 to ${MOST} pictures.`);
      return;
    }
    const body = new FormData();
    body.append("model", form.dataset.name);
    for (const file of files) body.append("image", file, file.name);
    const slow = setTimeout(() => box.replaceChildren(made("p", "facts", "Looking.")), 300);
    try {
      const reply = await fetch("/metier/v1/classify-image", { method: "POST", body });
      const answer = await reply.json();
      clearTimeout(slow);
      if (!reply.ok) throw new Error([answer.error.message, answer.error.remedy].filter(Boolean).join(" "));
      box.replaceChildren(...answers(files, answer));
    } catch (error) {
      clearTimeout(slow);
      problem(error instanceof TypeError ? "The server cannot be reached." : error.message);
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask([...input.files]);
  });
  input.addEventListener("change", () => { if (input.files.length) ask([...input.files]); });
  for (const kind of ["dragenter", "dragover"]) {
    drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
  }
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    ask([...event.dataTransfer.files]);
  });
  document.addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files];
    if (files.length) ask(files);
  });
}

for (const form of document.querySelectorAll("[data-pictures]")) start(form);
