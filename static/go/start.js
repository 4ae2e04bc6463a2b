// The token stands in the fragment, which no browser sends. It is taken out of the address at once, so that
// neither the history nor somebody who looks at the screen keeps it; only Start sends it.

const link = document.getElementById("link");
const shortCode = document.getElementById("short-code");

function take() {
  const token = location.hash.slice(1);
  if (!token) return;
  history.replaceState(null, "", location.pathname);
  link.elements.token.value = token;
  link.hidden = false;
  shortCode.hidden = true;
  link.querySelector("button").focus();
}

function forget() {
  link.elements.token.value = "";
  shortCode.reset();
}

take();
// A second link pasted into the same tab changes the fragment and loads nothing.
addEventListener("hashchange", take);
addEventListener("pagehide", () => setTimeout(forget));
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
