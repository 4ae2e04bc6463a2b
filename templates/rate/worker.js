{% load static %}// Lets the pages of a device open without a connection. See sessions_app/views/offline.py.

import { drain } from "{% static 'rate/delivery.js' %}";
import { spoken, waiting } from "{% static 'rate/store.js' %}";

const CACHE = "rate-{{ version }}";
const FILES = new Set({{ files|safe }});
const SHELLS = {{ shells|safe }};

// Without a cookie: what is kept must be the same for everybody.
async function fill() {
  const cache = await caches.open(CACHE);
  const wanted = [...FILES, ...Object.values(SHELLS)];
  await Promise.all(wanted.map(async (url) => cache.put(url, await fetched(url))));
  await skipWaiting();
}

// A network that asks for a sign-in answers everything with a page of its own. Thrown, the browser tries another day.
async function fetched(url) {
  const response = await fetch(url, { credentials: "omit", cache: "no-cache" });
  const ours = FILES.has(url) ? !response.headers.get("Content-Type")?.includes("html") : response.headers.has("X-Offline");
  if (!response.ok || response.redirected || !ours) throw new Error(`This is not ${url}.`);
  return response;
}

async function takeOver() {
  for (const name of await caches.keys()) if (name.startsWith("rate-") && name !== CACHE) await caches.delete(name);
  await clients.claim();
}

async function kept(url, request) {
  return (await (await caches.open(CACHE)).match(url)) ?? fetch(request);
}

async function opened(request) {
  try {
    return await fetch(request);
  } catch {
    const language = await spoken();
    const shell = await (await caches.open(CACHE)).match(SHELLS[language] ?? SHELLS.en);
    return shell ?? Response.error();
  }
}

async function send() {
  await drain({ now: true });
  // Thrown, the browser tries again later, also when no page is open.
  if ((await waiting()).length) throw new Error("Something still waits to be sent.");
}

addEventListener("install", (event) => event.waitUntil(fill()));
addEventListener("activate", (event) => event.waitUntil(takeOver()));
addEventListener("sync", (event) => event.tag === "ratings" && event.waitUntil(send()));
addEventListener("fetch", (event) => {
  const { request } = event;
  const { pathname } = new URL(request.url);
  // A form that was sent and did not arrive too: a tablet in a stand has no way out of the browser's own error page.
  if (request.mode === "navigate") event.respondWith(opened(request));
  else if (request.method === "GET" && FILES.has(pathname)) event.respondWith(kept(pathname, request));
});
