// The lists by keyboard: j and k from client to client, Enter opens, n notes the talk, h hands over, ? shows them.
// Single keys get in the way of dictation and of slips: never while typing, and they can be switched off (WCAG 2.1.4).

const NAME = "keys";
const dialog = document.getElementById("keys");
const box = dialog?.querySelector("input[type=checkbox]");

function areOn() {
  try {
    return localStorage.getItem(NAME) !== "off";
  } catch {
    return true;
  }
}

function turn(on) {
  try {
    if (on) localStorage.removeItem(NAME);
    else localStorage.setItem(NAME, "off");
  } catch {
    // Without storage they are on again on the next page.
  }
}

const rows = () => [...document.querySelectorAll("[data-row]")];
const current = () => document.activeElement?.closest("[data-row]");

function step(by) {
  const all = rows();
  if (!all.length) return;
  const here = all.indexOf(current());
  const next = here < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(here + by, 0), all.length - 1);
  const link = all[next].querySelector("[data-open]");
  link?.focus();
  link?.scrollIntoView({ block: "nearest" });
}

function handOver(row) {
  const link = row?.querySelector("[data-give]");
  if (link) link.click();
  else if (row?.dataset.handOver) location.assign(row.dataset.handOver);
}

const acts = {
  j: () => step(1),
  k: () => step(-1),
  n: () => current()?.querySelector("[data-note]")?.click(),
  h: () => handOver(current()),
  "?": () => show(),
};

function show() {
  if (!dialog || dialog.open) return;
  if (box) box.checked = areOn();
  dialog.showModal();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (document.querySelector("dialog[open]") || !areOn()) return;
  if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
  const act = acts[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

document.querySelector("[data-keys]")?.addEventListener("click", show);
document.querySelector("[data-keys]")?.removeAttribute("hidden");
box?.addEventListener("change", () => turn(box.checked));
