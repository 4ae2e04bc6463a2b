// Sends the marks until the server says that it has them. Sending twice is harmless: the same marks
// are one rating. Only {"stored": true} or a refusal in the server's own words ends the trying; a
// sign-in page of the network, a time-out or a server in trouble does not.

const FIRST_WAIT = 1000;
const LONGEST_WAIT = 5 * 60 * 1000;
const PATIENCE = 15000;

export async function deliver(url, body, onFailure) {
  for (let wait = FIRST_WAIT; ; wait = Math.min(2 * wait, LONGEST_WAIT)) {
    const reply = await attempt(url, body);
    if (reply) return reply;
    onFailure();
    await pause(wait * (0.75 + Math.random() / 2));
  }
}

async function attempt(url, body) {
  try {
    const response = await fetch(url, {
      method: "POST",
      body,
      headers: { Accept: "application/json" },
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE),
    });
    const reply = await response.json();
    const final = (reply.stored === true && reply.sha256) || reply.handed_in || (response.status === 422 && reply.errors);
    return final ? reply : null;
  } catch {
    return null;
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
