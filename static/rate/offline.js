// Stands in for a page that could not be had, or a form that was not sent: goes back to where it began.

import { onArrival } from "./delivery.js";
import { timeLimit } from "./time_limit.js";

const EVERY = 3000;
const [start] = location.pathname.match(/^\/[^/]*\//); // never the address itself: it may take forms only

function leave() {
  location.replace(start);
}

async function look() {
  try {
    const response = await fetch(start, { cache: "no-store", signal: timeLimit(5000) });
    if (response.status < 500) return leave();
  } catch {
    // still no connection
  }
  setTimeout(look, EVERY);
}

document.querySelector("[data-again]").addEventListener("click", (event) => {
  event.preventDefault();
  leave();
});
addEventListener("online", leave);
onArrival(leave);
setTimeout(look, EVERY);
