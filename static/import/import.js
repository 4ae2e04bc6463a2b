// When the whole page has come, go on to what came of it.
const next = document.querySelector("a[data-goes-on]");
if (next instanceof HTMLAnchorElement) {
  location.replace(next.href);
}
