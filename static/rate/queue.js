// On every page that this device may show: send what waits here, and say how much that is.

import { drain, onArrival } from "./delivery.js";
import { waiting } from "./store.js";

const EVERY = 30000;
let timer;

async function turn(options) {
  clearTimeout(timer);
  const next = await drain(options);
  await say();
  timer = setTimeout(turn, Math.min(EVERY, next));
}

// In the digits that the page is written in (alliance/languages.py).
function written(number) {
  const { lang } = document.documentElement;
  return number.toLocaleString(lang === "ar" ? "ar-u-nu-arab" : lang);
}

async function say() {
  const parcels = await waiting();
  if (!parcels) return;
  for (const notice of document.querySelectorAll("[data-waiting]")) {
    notice.querySelector("[data-count]").textContent = written(parcels.length);
    notice.hidden = parcels.length === 0;
  }
}

// The first try of what was kept just now; the browser itself is asked to go on where it can.
export function sendNow() {
  navigator.serviceWorker?.getRegistration().then((worker) => worker?.sync?.register("ratings")).catch(() => {});
  return turn();
}

addEventListener("online", () => turn({ now: true }));
document.addEventListener("visibilitychange", () => document.hidden || turn());
onArrival(say);
turn();

// Each folder of a device's pages has a worker of its own. Pages of staff name none: none may ever touch their
// addresses.
const { worker } = document.body.dataset;
if (worker) {
  const [folder] = location.pathname.match(/^\/[^/]*\//);
  // Browsers with Trusted Types take no bare string for the address of a script.
  const policy = globalThis.trustedTypes?.createPolicy("device-worker", { createScriptURL: ours });
  const url = policy ? policy.createScriptURL(folder + worker) : folder + worker;
  navigator.serviceWorker?.register(url, { type: "module", updateViaCache: "none" }).catch(() => {});
}

function ours(url) {
  return /^\/[a-z]+\/worker\.js$/.test(url) ? url : null;
}
