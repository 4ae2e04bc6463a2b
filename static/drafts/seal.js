// Seals half-written notes so that one person alone reads them again. The keys are the server's (alliance/drafts.py):
// it gives them to pages on which that person is signed in, and they stay in the memory of the page.

const TO_SEAL = { name: "AES-GCM" };
const TO_NAME = { name: "HMAC", hash: "SHA-256" };
// Sealed words are a little longer than the words: filled up, their length tells nobody how much was written.
const STEP = 512;

// Only under HTTPS, or on this machine itself.
export const canSeal = Boolean(globalThis.crypto?.subtle && globalThis.indexedDB);

// The keys of whoever is signed in, the present one first; null where nobody is, or nothing answers.
export async function fetchKeys(url) {
  const answer = await fetch(url, { headers: { Accept: "application/json" }, cache: "no-store", redirect: "error" }).catch(
    () => null,
  );
  const said = answer?.ok ? await answer.json().catch(() => null) : null;
  return said ? Promise.all(said.keys.map(imported)) : null;
}

// Not extractable: no script of this page can write them anywhere.
async function imported(text) {
  const bytes = asBytes(text);
  return {
    seal: await crypto.subtle.importKey("raw", bytes.slice(0, 32), TO_SEAL, false, ["encrypt", "decrypt"]),
    name: await crypto.subtle.importKey("raw", bytes.slice(32), TO_NAME, false, ["sign"]),
  };
}

// The name of a form in the store: nobody else can tell which form is meant.
export async function nameOf(key, form) {
  return asText(await crypto.subtle.sign("HMAC", key.name, new TextEncoder().encode(form)));
}

// `boundTo`: where it is kept; sealed words that are put in another place open nowhere.
export async function seal(key, content, boundTo) {
  const nonce = crypto.getRandomValues(new Uint8Array(12));
  const words = new TextEncoder().encode(JSON.stringify(content));
  const filled = new Uint8Array(Math.ceil((words.length + 1) / STEP) * STEP).fill(0x20); // blanks are no content in JSON
  filled.set(words);
  const sealed = await crypto.subtle.encrypt({ ...TO_SEAL, iv: nonce, additionalData: bound(boundTo) }, key.seal, filled);
  return { nonce: asText(nonce), sealed: asText(sealed) };
}

// Null where it was sealed with another key.
export async function opened(key, { nonce, sealed }, boundTo) {
  try {
    const how = { ...TO_SEAL, iv: asBytes(nonce), additionalData: bound(boundTo) };
    return JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt(how, key.seal, asBytes(sealed))));
  } catch {
    return null;
  }
}

// A random UUID, also where the browser makes none itself (Safari before 15.4, Chrome before 92).
export function newId() {
  const hex = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20)].join("-");
}

function bound(text) {
  return new TextEncoder().encode(text);
}

function asText(buffer) {
  const binary = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function asBytes(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
