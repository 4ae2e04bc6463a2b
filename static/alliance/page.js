// What every page does: dismiss messages, send a form once, say honestly when a request failed.

const trouble = document.getElementById("trouble");

// form: the one whose request failed. `kept` on it: its words are in the browser (static/drafts/drafts.js).
function say(kind, form) {
  if (!trouble) return;
  trouble.textContent = trouble.dataset[kind] ?? trouble.dataset.failed;
  if (form && "kept" in form.dataset) trouble.textContent += ` ${trouble.dataset.stillHere}`;
  trouble.hidden = false;
}

function quiet() {
  if (trouble) trouble.hidden = true;
}

// Forms ---------------------------------------------------------------------------------------

// aria-disabled and not `disabled`: the focus stays, and the button's own value is still sent.
function hold(form) {
  form.dataset.sending = "";
  for (const button of buttonsOf(form)) button.setAttribute("aria-disabled", "true");
}

function release(form) {
  delete form.dataset.sending;
  for (const button of buttonsOf(form)) button.removeAttribute("aria-disabled");
}

function buttonsOf(form) {
  return [...form.elements].filter((element) => element.matches("button:not([type=button]), input[type=submit]"));
}

// A download answers a form without leaving the page: the button comes back without a talk.
const PATIENCE = 8000;

document.addEventListener("submit", (event) => {
  if ("sending" in event.target.dataset) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}, { capture: true });

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  hold(form);
  setTimeout(() => release(form), PATIENCE);
});

addEventListener("pageshow", () => document.querySelectorAll("form[data-sending]").forEach(release));

// htmx ----------------------------------------------------------------------------------------

const isForm = (element) => element instanceof HTMLFormElement;

document.addEventListener("htmx:beforeRequest", (event) => {
  quiet();
  if (isForm(event.detail.elt)) hold(event.detail.elt);
});

document.addEventListener("htmx:afterRequest", (event) => {
  if (isForm(event.detail.elt)) release(event.detail.elt);
});

function lost(event) {
  say(event.detail.requestConfig?.verb === "get" ? "unread" : "lost", event.detail.elt);
}

document.addEventListener("htmx:sendError", lost);
document.addEventListener("htmx:timeout", lost);
document.addEventListener("htmx:responseError", (event) => say(String(event.detail.xhr.status), event.detail.elt));

// Signed out meanwhile: the redirect ends in a whole sign-in page, which must not land in a piece.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, pathInfo } = event.detail;
  const answered = new URL(xhr.responseURL || location.href).pathname;
  const asked = new URL(pathInfo.requestPath, location.href).pathname;
  if (answered !== asked && /^\s*<!doctype html/i.test(xhr.responseText)) {
    event.detail.shouldSwap = false;
    location.reload();
  }
});

// The passkey scripts of allauth fail without a word.
document.addEventListener("allauth.error", () => say("passkey"));

// Everything else -----------------------------------------------------------------------------

document.addEventListener("click", (event) => {
  event.target.closest("[data-dismiss]")?.closest(".message")?.remove();
  document.querySelectorAll(".account-menu[open]").forEach((menu) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
});

// Single keys can be switched off (WCAG 2.1.4): see static/dashboard/keys.js, which has the switch.
const keysAreOff = () => {
  try {
    return localStorage.getItem("keys") === "off";
  } catch {
    return false;
  }
};

const found = document.getElementById("found-clients");

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    if (found?.hasChildNodes() && event.target.closest?.(".site-search")) {
      found.replaceChildren();
      document.getElementById("site-search").focus();
      return;
    }
    const menu = document.querySelector(".account-menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  }
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey || keysAreOff()) return;
  const search = document.querySelector("input[type=search]");
  if (!search) return;
  event.preventDefault();
  search.focus();
});

document.addEventListener("click", (event) => {
  if (!event.target.closest(".site-search")) found?.replaceChildren();
});

document.querySelector(".error-summary")?.focus();
