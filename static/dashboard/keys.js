// The lists by keyboard: j and k from client to client, Enter opens, n notes the talk, h hands over, ? shows them.
// Single keys get in the way of dictation and of slips: never while typing, and they can be switched off (WCAG 2.1.4).

const NAME = "keys";
const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("keys"));
const box = /** @type {HTMLInputElement} */ (dialog?.querySelector("input[type=checkbox]"));

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

const listed = () => [...document.querySelectorAll("[data-row]")];
const focused = () => /** @type {HTMLElement} */ (document.activeElement?.closest("[data-row]"));

function step(by) {
  const all = listed();
  if (!all.length) return;
  const here = all.indexOf(focused());
  const next = here < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(here + by, 0), all.length - 1);
  const link = /** @type {HTMLElement} */ (all[next].querySelector("[data-open]"));
  link?.focus();
  link?.scrollIntoView({ block: "nearest" });
}

function press(link) {
  link?.click();
}

function handOver(row) {
  const link = row?.querySelector("[data-give]");
  if (link) press(link);
  else if (row?.dataset.handOver) location.assign(row.dataset.handOver);
}

const acts = {
  j: () => step(1),
  k: () => step(-1),
  n: () => press(focused()?.querySelector("[data-note]")),
  h: () => handOver(focused()),
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
