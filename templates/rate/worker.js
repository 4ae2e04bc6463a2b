{% load static %}// Lets the pages of a device open without a connection. See sessions_app/intake/views/offline.py.

import { drain } from "{% static 'rate/delivery.js' %}";
import { spoken, waiting } from "{% static 'rate/store.js' %}";

// Whoever holds the device can write to its cache, and not to this script. So the pages stand in here, and
// with each file what its content must be.
const CACHE = "rate-{{ version }}";
const FILES = new Map(Object.entries({{ files|safe }}));
const SHELLS = new Map(Object.entries({{ shells|safe }}));
const POLICY = "{{ policy|safe }}";
const TYPES = { css: "text/css", js: "text/javascript" };
const AWAY = [502, 503, 504]; // a proxy's word for a site that it cannot reach; 500 is a page of the site

async function fill() {
  const cache = await caches.open(CACHE);
  await Promise.all([...FILES.keys()].map(async (url) => cache.put(url, await fetched(url))));
  await skipWaiting();
}

// Without a cookie: what is kept must be the same for everybody. A network that asks for a sign-in answers
// everything with a page of its own. Thrown, the browser tries another day.
async function fetched(url) {
  const file = await proven(url, await fetch(url, { credentials: "omit", cache: "no-cache" }));
  if (!file) throw new Error(`This is not ${url}.`);
  return file;
}

// The content alone is looked at, so nothing else is passed on: a header could lead the browser elsewhere.
async function proven(url, response) {
  const content = await response.arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  if (btoa(String.fromCharCode(...digest)) !== FILES.get(url)) return undefined;
  return new Response(content, { headers: { "Content-Type": TYPES[url.split(".").pop()] } });
}

async function takeOver() {
  const former = (await caches.keys()).filter((name) => name.startsWith("rate-") && name !== CACHE);
  await Promise.all(former.map((name) => caches.delete(name)));
  await clients.claim();
}

async function kept(url, request) {
  try {
    const file = await proven(url, await caches.match(url, { cacheName: CACHE }));
    if (file) return file;
  } catch {
    // not there, or not to be read any more
  }
  return fetch(request);
}

async function opened(request) {
  const response = await fetch(request).catch(() => null);
  if (response && !AWAY.includes(response.status)) return response;
  const shell = SHELLS.get(await spoken()) ?? SHELLS.get("en");
  const headers = { "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": POLICY };
  return new Response(shell, { headers });
}

async function send() {
  await drain({ now: true });
  // Thrown, the browser tries again later, also when no page is open. Null: nobody can tell what waits.
  if ((await waiting())?.length !== 0) throw new Error("Something still waits to be sent.");
}

addEventListener("install", (event) => event.waitUntil(fill()));
addEventListener("activate", (event) => event.waitUntil(takeOver()));
addEventListener("sync", (event) => event.tag === "ratings" && event.waitUntil(send()));
addEventListener("fetch", (event) => {
  const { request } = event;
  const { pathname } = new URL(request.url);
  // A form that was sent and did not arrive too: a tablet in a stand has no way out of the browser's own error
  // page.
  if (request.mode === "navigate") event.respondWith(opened(request));
  else if (request.method === "GET" && FILES.has(pathname)) event.respondWith(kept(pathname, request));
});
