// Stands in for a page that could not be had: tries again by itself.

import { onArrival } from "./delivery.js";

const EVERY = 3000;

async function look() {
  try {
    const response = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(5000) });
    if (response.status < 500) return location.reload();
  } catch {
    // still no connection
  }
  setTimeout(look, EVERY);
}

addEventListener("online", () => location.reload());
onArrival(() => location.reload());
setTimeout(look, EVERY);
