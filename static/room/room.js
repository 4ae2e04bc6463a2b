// The tablet of a room: asks whether there is something else to show, and follows. A form that was sent
// takes the place of whatever is shown; a lost connection is said and waited out.

import { tellTaken } from "../rate/other_tabs.js";
import { timeLimit } from "../rate/time_limit.js";

const SOON = 2; // seconds; the server says when to ask again, and may say later while nobody is about to send
const poll = document.querySelector("[data-poll]");
const leave = document.querySelector("[data-leave]");
const atOnce = document.querySelector("form[data-at-once]");
// Marks that have arrived: the form's own page goes to "Thank you".
const BETWEEN = "handed in";

async function ask() {
  let next = SOON;
  try {
    const response = await fetch(poll.dataset.poll, { cache: "no-store", signal: timeLimit(5000) });
    // Not paired any more, or never: the room's page says so.
    if (response.status === 404) return go(poll.dataset.room);
    const { state, again } = await response.json();
    if (state !== poll.dataset.state && state !== BETWEEN) return go(poll.dataset.room);
    if (poll.textContent === poll.dataset.lost) poll.textContent = "";
    next = again;
  } catch {
    poll.textContent = poll.dataset.lost;
  }
  setTimeout(ask, next * 1000);
}

function go(url) {
  location.replace(url);
}

if (poll) setTimeout(ask, SOON * 1000);
if (leave) setTimeout(() => go(leave.href), Number(leave.dataset.leave) * 1000);
if (atOnce) atOnce.submit(); // it has nothing to check
else tellTaken(); // whoever was signed in here is not any more: their other tabs clear themselves

addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
