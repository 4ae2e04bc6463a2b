// The client's marks of today, for two minutes at most: gone with the button, with time, and with leaving.
// The server never gives them twice; this sees to it that the browser does not either.

import { tellHandedIn } from "./other_tabs.js";
import { goOnAsBefore } from "./text_size.js";

const closing = document.getElementById("closing");

function forget() {
  closing.replaceChildren();
}

function leave() {
  forget();
  location.replace(closing.dataset.done);
}

goOnAsBefore({ isLast: false });
tellHandedIn(location.hash.slice(1));
history.replaceState(null, "", closing.dataset.done);
setTimeout(leave, Number(closing.dataset.seconds) * 1000);
closing.querySelector("a").addEventListener("click", (event) => {
  event.preventDefault();
  leave();
});
addEventListener("pagehide", forget);
// The tablet was put down, or another tab was opened. Leaving waits for the return: on the way to another
// page it would get in the way.
addEventListener("visibilitychange", () => (document.visibilityState === "hidden" ? forget() : leave()));
addEventListener("pageshow", (event) => event.persisted && leave());
