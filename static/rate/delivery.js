// Brings sealed marks to the server. Twice is harmless: the same marks are one rating. Only the server's own
// {"stored": true} for this delivery ends the trying; a sign-in page of the network, a time-out or a server in
// trouble does not. The request carries no cookie: what is inside the seal is all its authority.

import { listen, tell } from "./channels.js";
import { forget, waiting } from "./store.js";
import { timeLimit } from "./time_limit.js";

const FIRST_WAIT = 1000;
const LONGEST_WAIT = 5 * 60 * 1000;
const PATIENCE = 15000;
const UNREADABLE = 5000; // what waits could not be read: a while until it is tried again
const LOCK = "ratings";
const NEWS = "ratings";

async function attempt(parcel) {
  const { url, grant, ...envelope } = parcel;
  try {
    const response = await fetch(url, {
      method: "POST",
      body: JSON.stringify(envelope),
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
      keepalive: true, // who hands in and closes the page at once has handed in
      signal: timeLimit(PATIENCE),
    });
    const reply = await response.json();
    return reply.stored === true && reply.delivery === parcel.delivery && Boolean(reply.sha256);
  } catch {
    return false;
  }
}

// For what could not be kept on this device: until it has arrived, and only while the page lives.
export async function bring(parcel, onFailure) {
  for (let wait = FIRST_WAIT; !(await attempt(parcel)); wait = Math.min(2 * wait, LONGEST_WAIT)) {
    onFailure();
    await pause(jittered(wait));
  }
}

// Until the time is up, or the network says that it is back.
function pause(milliseconds) {
  return new Promise((resolve) => {
    const timer = setTimeout(wake, milliseconds);
    addEventListener("online", wake);
    function wake() {
      clearTimeout(timer);
      removeEventListener("online", wake);
      resolve();
    }
  });
}

// The queue ---------------------------------------------------------------------------------------

// By the page's own clock: the device's may be put right by years while something waits.
const tries = new Map();

function isDue(parcel, now) {
  return (tries.get(parcel.delivery)?.next ?? 0) <= now;
}

function backOff(parcel) {
  const before = tries.get(parcel.delivery)?.wait;
  const wait = before ? Math.min(2 * before, LONGEST_WAIT) : FIRST_WAIT;
  tries.set(parcel.delivery, { wait, next: performance.now() + jittered(wait) });
}

function jittered(wait) {
  return wait * (0.75 + Math.random() / 2);
}

// Sends what is due. One tab at a time: the others leave it to that one. `now`: whatever is waiting.
// Returns the milliseconds until something is due again.
export async function drain({ now = false } = {}) {
  if (!navigator.locks) return work(now);
  return navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => {
    // Another tab is at it, or a page that is just being left and will never finish.
    return lock ? work(now) : FIRST_WAIT;
  });
}

async function work(all) {
  const parcels = await waiting();
  if (!parcels) return UNREADABLE;
  forgetTriesBut(parcels);
  for (const parcel of parcels) {
    if (!all && !isDue(parcel, performance.now())) continue;
    if (!(await attempt(parcel))) {
      backOff(parcel);
      continue;
    }
    await forget(parcel.delivery);
    tries.delete(parcel.delivery);
    brought.push(parcel.grant);
    tell(NEWS, parcel.grant);
  }
  return soonest();
}

// Another tab may have brought some.
function forgetTriesBut(parcels) {
  const here = new Set(parcels.map((parcel) => parcel.delivery));
  for (const delivery of tries.keys()) if (!here.has(delivery)) tries.delete(delivery);
}

function soonest() {
  const next = [...tries.values()].map((one) => one.next - performance.now());
  return Math.max(0, Math.min(LONGEST_WAIT, ...next));
}

const brought = [];

// Calls with the `grant` of each parcel that arrived: from now on in any tab, and in this page before.
export function onArrival(listener) {
  listen(NEWS, listener);
  brought.forEach(listener);
}
