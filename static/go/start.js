// The token stands in the fragment, which no browser sends; only Start does. It is taken out of the address at
// once, for whoever looks at the screen or reloads. The browser's own history keeps the address that was opened,
// whatever a page does (measured): it is the single use that makes that entry worthless.

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
