// Seals marks so that only the clinic's server reads them: the tablet keeps what it cannot open itself.
// The other half is alliance/sealing.py. Names are the browser's own: ECDH on P-256, HKDF, AES-GCM.

const PURPOSE = new TextEncoder().encode("session alliance: sealed marks");
const CURVE = { name: "ECDH", namedCurve: "P-256" };

// Only under HTTPS, or on this machine itself.
export const canSeal = Boolean(globalThis.crypto?.subtle);

// {key, sender, nonce, sealed} of `content`, which opens only together with `boundTo`.
export async function seal(content, { key, publicKey, boundTo }) {
  const theirs = await crypto.subtle.importKey("raw", asBytes(publicKey), CURVE, false, []);
  const ours = await crypto.subtle.generateKey(CURVE, true, ["deriveBits"]);
  const shared = await crypto.subtle.deriveBits({ name: "ECDH", public: theirs }, ours.privateKey, 256);
  const nonce = crypto.getRandomValues(new Uint8Array(12));
  const additionalData = new TextEncoder().encode(boundTo);
  const text = new TextEncoder().encode(content);
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce, additionalData }, await derived(shared), text);
  const sender = await crypto.subtle.exportKey("raw", ours.publicKey);
  return { key, sender: asText(sender), nonce: asText(nonce), sealed: asText(sealed) };
}

async function derived(shared) {
  const secret = await crypto.subtle.importKey("raw", shared, "HKDF", false, ["deriveKey"]);
  const hkdf = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(32), info: PURPOSE };
  return crypto.subtle.deriveKey(hkdf, secret, { name: "AES-GCM", length: 256 }, false, ["encrypt"]);
}

// Tells other pages of this device which grant is meant; gives nobody the token. Undefined without HTTPS.
export async function grantOf(token) {
  return canSeal ? inHex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token))) : undefined;
}

// A random UUID, also where the browser makes none itself (Safari before 15.4, Chrome before 92).
export function newId() {
  const hex = inHex(crypto.getRandomValues(new Uint8Array(16)));
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20)].join("-");
}

function inHex(buffer) {
  return [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function asText(buffer) {
  const binary = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function asBytes(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
