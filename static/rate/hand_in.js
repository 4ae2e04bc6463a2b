// From "Hand in" to the clinic: seal the marks, keep them on this device, send them. What was kept arrives
// whatever happens to this page; what could not be kept is sent from its memory, and it asks to stay open.

import { bring, onArrival } from "./delivery.js";
import { sendNow } from "./queue.js";
import { canSeal, seal } from "./seal.js";
import { keep, waiting } from "./store.js";

// How long the client looks at "Sending" before being told that it goes on by itself.
const A_MOMENT = 4000;
// Another tab handed in: it leaves first. Two that leave at once would take the session from each other.
const AFTER_THE_OTHER = 3000;

// say(kind): what is going on. onKept(): the page may forget. onArrived(): the server has it.
export function handingIn(form, { say, onKept, onArrived }) {
  const buttons = form.querySelectorAll("#review button");
  let isUnderWay = false;
  let isWatched = false;
  let id = null;

  async function begin(marks) {
    if (!canSeal) return sendUnsealed(form);
    hold(true);
    isWatched = true;
    say("sending");
    const parcel = await packed(form.dataset, marks);
    if (await keep(parcel)) return keptAs(parcel, sendNow());
    await bring(parcel, () => say("unsent"));
    arrived();
  }

  async function keptAs(parcel, firstTry) {
    removeEventListener("beforeunload", ask);
    id = parcel.delivery;
    await Promise.race([firstTry, new Promise((resolve) => setTimeout(resolve, A_MOMENT))]);
    if (await look()) return;
    isWatched = false;
    onKept();
  }

  async function look() {
    const waits = (await waiting()).some((parcel) => parcel.delivery === id);
    if (!waits && id !== null) arrived();
    return !waits;
  }

  function arrived() {
    id = null;
    hold(false);
    onArrived(isWatched);
  }

  function hold(now) {
    isUnderWay = now;
    // aria-disabled and not `disabled`: the focus stays where it is.
    for (const button of buttons) button.setAttribute("aria-disabled", String(now));
    (now ? addEventListener : removeEventListener)("beforeunload", ask);
  }

  // A form that was opened again: its marks wait here already, or have arrived since the server wrote this page.
  async function resume() {
    const ours = await grantOf(form.dataset.token);
    onArrival((grant) => (id === null && grant === ours ? setTimeout(arrived, AFTER_THE_OTHER) : look()));
    const parcel = (await waiting()).find(({ grant }) => grant === ours);
    if (!parcel) return;
    isUnderWay = true;
    keptAs(parcel, sendNow());
  }

  if (canSeal) resume();

  return {
    begin,
    get isUnderWay() {
      return isUnderWay;
    },
  };
}

function ask(event) {
  event.preventDefault();
}

// Without HTTPS a browser seals nothing: the form goes as it does without scripts.
function sendUnsealed(form) {
  form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "step", value: "hand-in" }));
  form.submit();
}

async function packed({ upload, token, key, publicKey }, marks) {
  const id = crypto.randomUUID();
  const content = JSON.stringify({ token, marks, at: Date.now() });
  const sealed = await seal(content, { key, publicKey, boundTo: id });
  return { delivery: id, grant: await grantOf(token), url: upload, ...sealed };
}

// Tells a page that was opened again that its marks wait here already; gives nobody the token.
async function grantOf(token) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token)));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

