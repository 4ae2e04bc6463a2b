// Clears a page of staff when this browser goes into a client's hands.
//
// The server ends the session; this clears what is already on a screen. A second tab still shows
// the caseload after a hand-over, and the back/forward cache keeps a page as it looked when left:
// `no-store` alone did not stop Chromium from showing it again.

// What htmx has asked for and not been told yet.
const asked = new Set();
document.addEventListener("htmx:beforeSend", (event) => {
  const { xhr } = /** @type {CustomEvent} */ (event).detail;
  asked.add(xhr);
  xhr.addEventListener("loadend", () => asked.delete(xhr));
});

function clear() {
  // Its answer would come to a place that is gone, with a client in it.
  for (const xhr of asked) xhr.onload = xhr.onerror = null;
  document.title = "";
  document.body.replaceChildren();
  document.body.removeAttribute("hx-headers");
}

function toldSo() {
  const notice = document.getElementById("cleared")?.content.cloneNode(true);
  clear();
  if (notice) document.body.append(notice);
  document.querySelector("[data-reload]")?.addEventListener("click", () => location.reload());
}

// Safari before 15.4 has none, and other tabs there hear nothing.
if (globalThis.BroadcastChannel) new BroadcastChannel("hand-over").addEventListener("message", toldSo);

// Always, not only when `persisted`: the browser may still change its mind about keeping the page.
addEventListener("pagehide", () => {
  document.documentElement.hidden = true;
  clear();
});

addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
