// Which strings may become parts of a page of staff: docs/adr/0073-trusted-types.md. It stands before all other scripts.
//
// htmx hands strings to the browser's parser. Only an answer of this site passes, which htmx is about to put into the
// page, once. Everything else that a script would make into a page, a script or the address of one is refused.

const types = globalThis.trustedTypes;
// Constant, in htmx: the place for forms that stay as they are while the page around them is exchanged.
const PANTRY = "<div id='--htmx-preserve-pantry--'></div>";
const MOST = 10; // answers that wait for their turn
const answers = [];

// As htmx cuts and wraps an answer before it is parsed (makeFragment).
function asParsed(answer) {
  const bare = answer.replace(/<head(\s[^>]*)?>[\s\S]*?<\/head>/i, "");
  return [answer, bare, `<body><template class="internal-htmx-wrapper">${bare}</template></body>`];
}

function isPageOfOurs(xhr) {
  return (
    xhr instanceof XMLHttpRequest &&
    new URL(xhr.responseURL, location.href).origin === location.origin &&
    /^text\/html\b/i.test(xhr.getResponseHeader("Content-Type") ?? "")
  );
}

function createHTML(text) {
  if (text === PANTRY) return text;
  const place = answers.findIndex((answer) => asParsed(answer).includes(text));
  if (place < 0) return null;
  answers.splice(place, 1);
  return text;
}

if (types) {
  const keep = ({ detail: { xhr } }) => {
    if (isPageOfOurs(xhr)) answers.push(xhr.responseText);
    if (answers.length > MOST) answers.shift();
  };
  document.addEventListener("htmx:beforeSwap", keep, { capture: true });
  types.createPolicy("default", { createHTML });
}
