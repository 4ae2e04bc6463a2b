// The form: marking, review, handing in. Without this file it is radios and a page for each step.

import { deliver } from "./delivery.js";
import { watch } from "./idle.js";
import { speak } from "./language.js";
import { Line } from "./line.js";
import { onHandedIn, tellTaken } from "./other_tabs.js";
import { fill } from "./review.js";
import { takeTurns } from "./turns.js";

const form = document.getElementById("rating");
const marking = document.getElementById("marking");
const review = document.getElementById("review");
const aside = document.getElementById("aside");
const idle = document.getElementById("idle");
const errors = document.getElementById("errors");
const status = document.getElementById("sending");
const bands = form.dataset.bands.split(" ").map(Number);
const turns = takeTurns(marking);
let sending = false;

const lines = [...form.querySelectorAll("[data-line]")].map(
  (root) => new Line(root, { bands, onChange: (way) => way && (form.elements.mode.value = way) }),
);

// Two ways of marking -----------------------------------------------------------------------------

function choose(way) {
  form.querySelectorAll("[data-drawn]").forEach((part) => (part.hidden = way !== "line"));
  form.querySelectorAll("[data-chosen]").forEach((part) => (part.hidden = way === "line"));
}

const ways = form.querySelector("[data-ways]");
ways.hidden = false;
for (const way of ways.querySelectorAll("input")) {
  way.disabled = false;
  way.addEventListener("change", () => choose(way.value));
}
choose("line");

// Marking, review, handing in ---------------------------------------------------------------------

function show(section, target) {
  marking.hidden = section !== marking;
  review.hidden = section !== review;
  aside.hidden = section !== marking;
  idle.hidden = section !== idle;
  status.textContent = "";
  if (section === marking) target ? turns.show(target) : turns.first();
  scrollTo(0, 0);
  const aim = target ?? section.querySelector("h1");
  aim.focus();
  if (target) aim.scrollIntoView({ block: "start" });
}

const STEPS = {
  review() {
    errors.hidden = true;
    fill(review, form, lines);
    show(review);
  },
  change(button) {
    show(marking, button?.dataset.to && document.getElementById(`line-${button.dataset.to}`));
  },
  "hand-in": handIn,
};

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (event.submitter?.name === "language") change(event.submitter.value);
  else if (!sending) STEPS[event.submitter?.value ?? "review"]?.(event.submitter);
});

async function change(language) {
  const changed = await speak(form.action, form.elements.csrfmiddlewaretoken.value, language);
  status.textContent = changed ? "" : status.dataset.refused;
  if (!changed) return;
  lines.forEach((line) => line.reword());
  marking.querySelector("h1").focus();
}

function marks() {
  const body = new URLSearchParams(new FormData(form));
  body.delete("way");
  lines.forEach((line) => body.delete(`${line.id}-number`));
  body.set("step", "hand-in");
  return body;
}

async function handIn() {
  hold(true);
  status.textContent = status.dataset.sending;
  const reply = await deliver(form.action, marks(), notSentYet);
  hold(false);
  if (reply.errors) refuse(reply.errors);
  else leave();
}

function hold(now) {
  sending = now;
  // aria-disabled and not `disabled`: the focus stays where it is.
  review.querySelectorAll("button").forEach((button) => button.setAttribute("aria-disabled", String(now)));
  (now ? addEventListener : removeEventListener)("beforeunload", ask);
}

function ask(event) {
  event.preventDefault();
}

function notSentYet() {
  status.textContent = status.dataset.unsent;
}

function refuse(sentences) {
  const list = errors.querySelector("ul");
  list.replaceChildren(...Object.entries(sentences).map(([name, sentence]) => entry(name, sentence)));
  errors.hidden = false;
  show(marking, errors);
}

function entry(name, sentence) {
  const item = document.createElement("li");
  const legend = document.getElementById(`question-${name}`);
  if (legend || name === "comment") {
    const link = document.createElement("a");
    link.href = legend ? `#line-${name}` : "#comment";
    link.textContent = legend?.textContent ?? document.querySelector("label[for=comment]").textContent;
    item.append(link, " ");
  }
  item.append(sentence);
  return item;
}

// Leaving -----------------------------------------------------------------------------------------

function forget() {
  form.reset();
  lines.forEach((line) => line.forget());
  fill(review, form, lines);
}

function leave() {
  forget();
  location.replace(form.dataset.done);
}

// Back must not show what somebody marked: the browser may keep this page as it looked when left.
addEventListener("pagehide", forget);
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

watch(Number(form.dataset.idleSeconds), {
  onWarning: () => !sending && (status.textContent = status.dataset.idle),
  onLife: () => !sending && (status.textContent = ""),
  onIdle() {
    // Marks on their way stay in the memory of the page, out of sight, until they have arrived.
    if (!sending) forget();
    idle.querySelectorAll("[data-when]").forEach((part) => {
      part.hidden = part.dataset.when !== (sending ? "unsent" : "cleared");
    });
    show(idle);
  },
});

onHandedIn(() => !sending && leave());
tellTaken();
