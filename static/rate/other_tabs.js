// This browser is in a client's hands: its other tabs are told, and pages of staff clear themselves
// (static/alliance/shield.js). Without it a second tab goes on showing the caseload.

const NAME = "hand-over";
const HANDED_IN = "handed in";

export function tellTaken() {
  send("taken");
}

export function tellHandedIn() {
  send(HANDED_IN);
}

export function onHandedIn(listener) {
  new BroadcastChannel(NAME).addEventListener("message", (event) => {
    if (event.data === HANDED_IN) listener();
  });
}

function send(message) {
  const channel = new BroadcastChannel(NAME);
  channel.postMessage(message);
  channel.close();
}
