// The token stands in the fragment, which no browser sends; this script and Start do. It is taken out of the address at
// once, for whoever looks at the screen or reloads. The browser's own history keeps the address that was opened,
// whatever a page does (measured): it is the single use that makes that entry worthless.
//
// The script asks the server whether the link still opens a form, which uses nothing up: a link that was used says so
// before anybody presses. A bad line must not hide a form that waits: after a moment the page says that it is ready, and
// changes if the answer is another one. Where none comes, Start says what is wrong.
const SHOWN_AFTER = 500; // milliseconds
const WAITS_FOR = 3000;

const link = document.getElementById("link");
const shortCode = document.getElementById("short-code");
const opensNothing = document.getElementById("closed");

function take() {
  const token = location.hash.slice(1);
  if (!token) return;
  history.replaceState(null, "", location.pathname);
  link.elements.token.value = token;
  link.hidden = opensNothing.hidden = shortCode.hidden = true;
  const clock = setTimeout(() => show(token, ""), SHOWN_AFTER);
  linkStatus(token).then((message) => {
    clearTimeout(clock);
    show(token, message);
  });
}

// message: why the link opens nothing; empty where its form is ready.
function show(token, message) {
  if (link.elements.token.value !== token) return; // another link was opened meanwhile, or the page was left
  const wasReady = !link.hidden;
  opensNothing.hidden = !message;
  link.hidden = Boolean(message);
  if (message) {
    forget();
    const heading = opensNothing.querySelector("h1");
    heading.textContent = message;
    heading.focus(); // so that a screen reader says it
  } else if (!wasReady) {
    link.querySelector("button").focus();
  }
}

async function linkStatus(token) {
  const body = new FormData(link);
  body.delete("token");
  body.set("look", token);
  const stop = new AbortController();
  const clock = setTimeout(() => stop.abort(), WAITS_FOR);
  try {
    const answer = await fetch(link.action, { method: "POST", body, signal: stop.signal });
    return answer.ok ? (await answer.json()).message : "";
  } catch {
    return "";
  } finally {
    clearTimeout(clock);
  }
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
