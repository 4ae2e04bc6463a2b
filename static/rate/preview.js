// How a loaded wording will look: the lines can be tried, and nothing is sent.

import { Line } from "./line.js";

const form = document.getElementById("preview");
const bands = form.dataset.bands.split(" ").map(Number);
form.querySelectorAll("[data-line]").forEach((root) => new Line(root, { bands, onChange() {} }));

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
form.addEventListener("submit", (event) => event.preventDefault());
