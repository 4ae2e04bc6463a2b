// Signs nobody out while they work, and says so a minute before it happens.
//
// The server ends a sign-in after some minutes without a request. Somebody who writes a long line
// makes no request: their keys and touches are told to the server, at most once a minute.

const notice = document.getElementById("idle");
const MINUTE = 60_000;
const limit = Number(notice?.dataset.minutes) * MINUTE;
// The server notes a look at a page once a minute: how long before this page it did so last.
let seen = Date.now() - Number(notice?.dataset.seconds) * 1000;

async function stay() {
  const answer = await fetch(notice.dataset.stay, {
    method: "POST",
    headers: { "X-CSRFToken": notice.dataset.token },
    redirect: "manual",
  }).catch(() => null);
  if (!answer?.ok) return;
  seen = Date.now();
  if (notice.open) notice.close();
}

function noticed() {
  if (Date.now() - seen > MINUTE && !notice.open) stay();
}

function look() {
  const idle = Date.now() - seen;
  // Past the limit the server has ended it: the reload leads to the sign-in page, the screen is clear.
  if (idle > limit + 5_000) location.reload();
  else if (idle > limit - MINUTE && !notice.open) notice.showModal();
}

if (limit) {
  for (const kind of ["keydown", "pointerdown"]) addEventListener(kind, noticed, { passive: true });
  notice.querySelector("button").addEventListener("click", stay);
  document.addEventListener("visibilitychange", look);
  setInterval(look, 5_000);
}
