// This browser is in a client's hands: its other tabs are told, and pages of staff clear themselves
// (static/alliance/shield.js). Without it a second tab goes on showing the caseload, or marks that the
// client before left unfinished.

import { listen, tell } from "./channels.js";

const NAME = "hand-over";
const TAKEN = "taken";
const HANDED_IN = "handed in";

// grant: as seal.js names it; where the page shows no form, or nobody can tell, there is none.
export function tellTaken(grant) {
  tell(NAME, { kind: TAKEN, grant });
}

export function tellHandedIn(grant) {
  tell(NAME, { kind: HANDED_IN, grant });
}

// Another tab ended the form of the grant `ours`: by handing it in, or by showing the form of another client.
export function onEnd(ours, listener) {
  listen(NAME, ({ kind, grant }) => {
    const isOurs = grant === ours;
    if (kind === HANDED_IN ? isOurs || !grant : grant && !isOurs) listener();
  });
}
