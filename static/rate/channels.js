// A word to every page of this browser, this one too. Safari before 15.4 has no way: there this one alone hears it.

const isAlone = !globalThis.BroadcastChannel;
const heard = [];

export function tell(name, message) {
  if (isAlone) return heard.forEach((one) => one.name === name && one.listener(message));
  const channel = new BroadcastChannel(name);
  channel.postMessage(message);
  channel.close();
}

export function listen(name, listener) {
  if (isAlone) heard.push({ name, listener });
  else new BroadcastChannel(name).addEventListener("message", ({ data }) => listener(data));
}
