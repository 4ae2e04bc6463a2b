// The form: marking, review, handing in. Without this file it is radios and a page for each step.

import { handingIn } from "./hand_in.js";
import { watch } from "./idle.js";
import { speak } from "./language.js";
import { lineOf } from "./line.js";
import { onEnd, tellHandedIn, tellTaken } from "./other_tabs.js";
import { fill, openIn } from "./review.js";
import { grantOf } from "./seal.js";
import { speak as remember } from "./store.js";
import { offerTextSize } from "./text_size.js";
import { aimOf, takeTurns } from "./turns.js";

const form = document.getElementById("rating");
const marking = document.getElementById("marking");
const review = document.getElementById("review");
const idle = document.getElementById("idle");
const kept = document.getElementById("kept");
const errors = document.getElementById("errors");
const status = document.getElementById("sending");
const bands = form.dataset.bands?.split(" ").map(Number);
const turns = takeTurns(marking, { isOpen, onStep, onEdge: (isThere) => say(isThere && "edge") });
const delivery = handingIn(form, { say, onKept, onArrived: end });

const lines = [...form.querySelectorAll("[data-line]")].map(
  (root) => lineOf(root, { bands, onChange }),
);

function onChange(way) {
  if (way) form.elements.mode.value = way;
  if (!review.hidden) fill(review, form, lines);
}

// Two ways of marking -----------------------------------------------------------------------------

function choose(way) {
  form.querySelectorAll("[data-drawn]").forEach((part) => (part.hidden = way !== "line"));
  form.querySelectorAll("[data-chosen]").forEach((part) => (part.hidden = way === "line"));
}

// A form of choices has one way only.
const ways = form.querySelector("[data-ways]");
if (ways) {
  ways.hidden = false;
  for (const way of ways.querySelectorAll("input")) {
    way.disabled = false;
    way.addEventListener("change", () => choose(way.value));
  }
  choose("line");
}

// Marking, review, handing in ---------------------------------------------------------------------

function show(section, target) {
  marking.hidden = section !== marking;
  review.hidden = section !== review;
  idle.hidden = section !== idle;
  kept.hidden = section !== kept;
  status.textContent = "";
  putBack();
  if (section === marking) target ? turns.show(target) : turns.first();
  if (section === review) turns.toReview();
  scrollTo(0, 0);
  const aim = target ? aimOf(target) : section.querySelector("h1");
  aim.focus();
  if (target) aim.scrollIntoView({ block: "start" });
}

// A line that was left out is marked where the review names it: nobody has to find the way there and back.
let putBack = () => {};

function mend(line) {
  putBack();
  putBack = openIn(review, line);
  line.root.focus({ preventScroll: true });
  line.root.scrollIntoView({ block: "center" });
}

const STEPS = {
  review() {
    errors.hidden = true;
    fill(review, form, lines);
    show(review);
  },
  change(button) {
    const line = lines.find(({ id }) => id === button?.dataset.to);
    line ? mend(line) : show(marking);
  },
  "hand-in": () => delivery.begin(marks()),
};

function isOpen() {
  return !delivery.isUnderWay && !(marking.hidden && review.hidden);
}

// Back or Forward on a phone.
function onStep(turn) {
  turn ? show(marking, turn) : STEPS.review();
}

// Safari before 15.4 does not say which button sends a form. The Enter key presses one too.
let pressed;
form.addEventListener("click", (event) => {
  const clicked = /** @type {Element} */ (event.target);
  pressed = clicked.closest("button") ?? pressed;
}, true);

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const button = event.submitter ?? pressed;
  if (button?.name === "language") change(button.value);
  else if (!delivery.isUnderWay) STEPS[button?.value ?? "review"]?.(button);
});

async function change(language) {
  const changed = await speak(form.action, form.elements.csrfmiddlewaretoken.value, language);
  status.textContent = changed ? "" : status.dataset.refused;
  if (!changed) return;
  form.elements.read_in.value = language;
  remember(language);
  lines.forEach((line) => line.reword());
  marking.querySelector("h1").focus();
}

function marks() {
  const body = new URLSearchParams(/** @type {any} */ (new FormData(form)));
  for (const name of ["way", "csrfmiddlewaretoken"]) body.delete(name);
  for (const line of lines) {
    body.delete(`${line.id}-number`);
    if (!body.has(line.id)) body.set(line.id, ""); // left open on purpose, and not lost on the way
  }
  return body.toString();
}

function say(kind) {
  status.textContent = status.dataset[kind] ?? "";
}

// Safe on this device, whatever happens to this page: nothing of it is left here.
function onKept() {
  forget();
  show(kept);
  turns.unwind();
}

// Leaving -----------------------------------------------------------------------------------------

function forget() {
  form.reset();
  lines.forEach((line) => line.forget());
  fill(review, form, lines);
}

// Behind the # is what no server reads: which form it was, for the other tabs.
function leave(arrived) {
  forget();
  location.replace(form.dataset.done + (arrived ? `?now=${arrived}` : "") + (grant ? `#${grant}` : ""));
}

let isLeaving = false;

// Once: the next page takes a moment, and a second way out would break off the first, or lose whose marks arrived.
async function end(arrived) {
  if (isLeaving) return;
  isLeaving = true;
  await turns.unwind();
  leave(arrived);
}

// Back must not show what somebody marked: the browser may keep this page as it looked when left.
addEventListener("pagehide", forget);
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

watch(Number(form.dataset.idleSeconds), {
  onWarning: () => !delivery.isUnderWay && say("idle"),
  onLife: () => !delivery.isUnderWay && say(),
  onIdle() {
    if (!kept.hidden) return;
    // Marks on their way stay in the memory of the page, out of sight, until they have arrived.
    if (!delivery.isUnderWay) forget();
    idle.querySelectorAll("[data-when]").forEach((part) => {
      part.hidden = part.dataset.when !== (delivery.isUnderWay ? "unsent" : "cleared");
    });
    show(idle);
    turns.unwind();
  },
});

let grant;
const naming = grantOf(form.dataset.token);
offerTextSize(marking.querySelector("[data-text-size]"), naming);
naming.then((ours) => {
  grant = ours;
  onEnd(ours, () => !delivery.isUnderWay && end());
  tellTaken(ours);
});
remember(document.documentElement.lang);
// Handed in before this one, in the same set: its other tabs are told by the page after it.
if (location.hash) {
  tellHandedIn(location.hash.slice(1));
  history.replaceState(history.state, "", location.pathname);
}
