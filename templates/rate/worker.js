{% load static %}// Lets the pages of a device open without a connection. See sessions_app/views/offline.py.

import { drain } from "{% static 'rate/delivery.js' %}";
import { spoken, waiting } from "{% static 'rate/store.js' %}";

const CACHE = "rate-{{ version }}";
const FILES = new Set({{ files|safe }});
const SHELLS = {{ shells|safe }};

async function fill() {
  const cache = await caches.open(CACHE);
  const wanted = [...FILES, ...Object.values(SHELLS)];
  const answers = await Promise.all(wanted.map(ours));
  await Promise.all(wanted.map((url, place) => cache.put(url, answers[place])));
  await skipWaiting();
}

// Without a cookie: what is kept must be the same for everybody. A network that wants a sign-in answers
// everything with a page of its own: kept, it would stand in for our files until the next upgrade.
async function ours(url) {
  const response = await fetch(url, { credentials: "omit", cache: "no-cache", redirect: "error" });
  const isPage = response.headers.get("Content-Type")?.startsWith("text/html") ?? true;
  const isOurs = FILES.has(url) ? !isPage : response.headers.has("X-Shell");
  if (!response.ok || !isOurs) throw new Error(`This is not ${url}.`);
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
  if (request.method !== "GET") return;
  if (FILES.has(pathname)) event.respondWith(kept(pathname, request));
  else if (request.mode === "navigate") event.respondWith(opened(request));
});
