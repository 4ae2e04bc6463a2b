// From "Hand in" to the clinic: seal the marks, keep them on this device, send them. What was kept arrives
// whatever happens to this page; what could not be kept is sent from its memory, and it asks to stay open.

import { bring, onArrival } from "./delivery.js";
import { sendNow } from "./queue.js";
import { canSeal, grantOf, newId, seal } from "./seal.js";
import { keep, waiting } from "./store.js";

// How long the client looks at "Sending" before being told that it goes on by itself.
const A_MOMENT = 4000;
// Another tab handed in: it leaves first. Two that leave at once would take the session from each other.
const AFTER_THE_OTHER = 3000;

// say(kind): what is going on. onKept(): the page may forget. onArrived(delivery): the server has it; its
// id, where the client who handed in is still before the page.
export function handingIn(form, { say, onKept, onArrived }) {
  const buttons = form.querySelectorAll("#review button");
  let isUnderWay = false;
  let isWatched = false;
  let id = null;

  async function begin(marks) {
    hold(true);
    isWatched = true;
    say("sending");
    const parcel = canSeal && (await packed(form.dataset, marks).catch(() => null));
    if (!parcel) return sendUnsealed(form);
    if (await keep(parcel)) return keptAs(parcel, sendNow());
    await bring(parcel, () => say("unsent"));
    id = parcel.delivery;
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
    const parcels = await waiting();
    const waits = parcels?.some((parcel) => parcel.delivery === id) ?? true;
    if (!waits && id !== null) arrived();
    return !waits;
  }

  function arrived() {
    const delivery = id;
    id = null;
    hold(false);
    onArrived(isWatched && delivery);
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
    const parcel = (await waiting())?.find(({ grant }) => grant === ours);
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
  event.returnValue = true; // Chrome before 119 asks only then
}

// Without HTTPS a browser seals nothing: the form goes as it does without scripts.
function sendUnsealed(form) {
  removeEventListener("beforeunload", ask);
  form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "step", value: "hand-in" }));
  form.submit();
}

async function packed({ upload, token, key, publicKey }, marks) {
  const id = newId();
  const content = JSON.stringify({ token, marks, at: Date.now() });
  const sealed = await seal(content, { key, publicKey, boundTo: id });
  return { delivery: id, grant: await grantOf(token), url: upload, ...sealed };
}

