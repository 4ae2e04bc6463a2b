// Another language without leaving the page: the server's page in that language lends its words to this
// one. Marks never travel for it, so that no request and no history entry of the browser holds them, and
// a line that is down costs nobody theirs.

import { timeLimit } from "./time_limit.js";

const WORDS = [
  "lang", "aria-label", "aria-current",
  "data-words", "data-unset", "data-sending", "data-unsent", "data-idle", "data-edge", "data-refused", "data-lost",
  "data-answered", "data-minute", "data-minutes",
];
const PATIENCE = 10000;
// The page is read and never shown: below, words and a few attributes are taken from it, each as a text.
const policy = globalThis.trustedTypes?.createPolicy("other-language", { createHTML: (text) => text });
const readable = (text) => policy?.createHTML(text) ?? text;

// True once this page speaks `language`; false where it could not be had.
export async function speak(url, token, language) {
  const theirs = await fetched(url, token, language);
  if (!theirs || !alike(document.body, theirs.body)) return false;
  document.documentElement.lang = theirs.documentElement.lang;
  document.documentElement.dir = theirs.documentElement.dir;
  document.title = theirs.title;
  borrow(document.body, theirs.body);
  return true;
}

async function fetched(url, token, language) {
  try {
    const response = await fetch(url, {
      method: "POST",
      body: new URLSearchParams({ csrfmiddlewaretoken: token, language }),
      headers: { Accept: "text/html" },
      credentials: "same-origin",
      cache: "no-store",
      signal: timeLimit(PATIENCE),
    });
    if (!response.ok) return null;
    const page = new DOMParser().parseFromString(readable(await response.text()), "text/html");
    return page.documentElement.lang === language && page.getElementById("rating") ? page : null;
  } catch {
    return null;
  }
}

// The page may have grown since it came (a hidden field, a list of errors), never changed its order.
function alike(ours, theirs) {
  return (
    ours?.tagName === theirs?.tagName &&
    [...theirs.children].every((child, place) => ours.children[place] && alike(ours.children[place], child))
  );
}

function borrow(ours, theirs) {
  for (const name of WORDS) {
    if (theirs.hasAttribute(name)) ours.setAttribute(name, theirs.getAttribute(name));
    else if (name === "aria-current") ours.removeAttribute(name);
  }
  // A label that one language has and the other has not.
  if (!theirs.children.length && !ours.children.length && theirs.textContent.trim()) ours.textContent = theirs.textContent;
  const words = (one) => [...one.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  const mine = words(ours);
  words(theirs).forEach((text, place) => mine[place] && (mine[place].data = text.data));
  [...theirs.children].forEach((child, place) => borrow(ours.children[place], child));
}
