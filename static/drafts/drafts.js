// Keeps what is typed on a page of staff, as it is typed, and offers it to the same person again: after an ended
// sign-in, a reload, a closed tab, a lost network. Every form of POST with lines of text is kept unless it says
// `data-draft="none"`; a form that somebody adds later is kept too.

import { canSeal, fetchKeys, nameOf, newId, opened, seal } from "./seal.js";
import { forget, forgetTheOld, keep, ofForm } from "./store.js";

const FORMS = "main form";
const WORDS = "textarea, input[type=text], input[type=email], input[type=number], input[type=date], input:not([type])";
const SECRET = "input[type=password], input[type=file], [autocomplete=one-time-code], [name=csrfmiddlewaretoken], [name=draft]";
// Its name begins with __Host- where the site is on HTTPS.
const SAVED = /^((?:__Host-)?saved_draft)=(.+)$/;
const A_MOMENT = 250; // milliseconds without a stroke
const AGAIN = 10_000; // until the keys are asked for once more

const offer = document.getElementById("draft-offer");
let keys = null; // of whoever is signed in: nowhere but here, and gone with the page
let hasEnded = false;

// {form: its note}. id, name: in the store. content: what is to be written there, null where the note is to go.
// isStored: whether it is, or is about to be. isAdopted: its words came back with the form, so they are no default.
const NEW = { id: "", name: "", content: null, timer: 0, writing: Promise.resolve(), isStored: false, isAdopted: false };
const notes = new WeakMap();
// Forms with something to be written. A page that is cleared holds no form any more.
const pending = new Set();

// What is in a form -------------------------------------------------------------------------------

function isKept(form) {
  return form.getAttribute("method")?.toLowerCase() === "post" && form.dataset.draft !== "none" && wordsOf(form).length > 0;
}

function fieldsOf(form) {
  return [...form.elements].filter((field) => field.name && field.matches("input, textarea, select") && !field.matches(SECRET));
}

function wordsOf(form) {
  return fieldsOf(form).filter((field) => field.matches(WORDS));
}

const isChoice = (field) => field.matches("[type=radio], [type=checkbox]");

// Whether somebody typed here what the page did not bring.
function isBegun(form, note) {
  const words = wordsOf(form);
  const isChanged = note.isAdopted || words.some((field) => field.value !== field.defaultValue);
  return isChanged && words.some((field) => field.value.trim());
}

// Fields of one name come one after the other: [name, which of them, value, checked].
function written(form) {
  const seen = {};
  return fieldsOf(form).map((field) => {
    seen[field.name] = (seen[field.name] ?? -1) + 1;
    return [field.name, seen[field.name], field.value, isChoice(field) && field.checked];
  });
}

function says(form, fields) {
  const now = new Map(wordsOf(form).map((field) => [field.name, field.value]));
  return fields.every(([field, , value]) => !now.has(field) || now.get(field) === value);
}

// As the form was opened, hidden fields too: whoever changed the row meanwhile is found out by the server.
function fill(form, fields) {
  for (const [name, place, value, isChecked] of fields) {
    const field = fieldsOf(form).filter((one) => one.name === name)[place];
    if (!field) continue;
    if (!isChoice(field)) field.value = value;
    else if (field.value === value) field.checked = isChecked;
  }
}

// The address it is sent to, and what the template calls it: the same wherever the form stands.
function titleOf(form) {
  const address = new URL(form.getAttribute("action") || location.pathname, location.href).pathname;
  return form.dataset.draft ?? `${address} ${form.getAttribute("id") ?? ""}`;
}

// Keeping -----------------------------------------------------------------------------------------

// What was written is read off at once, and sealed when the fingers rest: the page may be cleared any moment.
function noticed(form) {
  const note = notes.get(form);
  if (!note?.name || hasEnded) return;
  note.content = isBegun(form, note) ? { at: Date.now(), fields: written(form) } : null;
  if (!note.content && !note.isStored) return;
  note.isStored = true;
  if (note.content) mark(form, note.id);
  pending.add(form);
  clearTimeout(note.timer);
  note.timer = setTimeout(store, A_MOMENT, form);
}

function store(form) {
  const note = notes.get(form);
  if (!pending.delete(form) || !keys) return;
  clearTimeout(note.timer);
  const { id, content, name, writing } = note;
  const [key] = keys;
  note.writing = (async () => {
    await writing; // in the order in which it was typed
    if (!content) return forget(id);
    if (await keep(id, name, await seal(key, content, name + id))) return kept(form);
    return mark(form, ""); // the disk is full, or the browser keeps nothing
  })().catch(() => mark(form, ""));
}

// The server tells by this mark that the form was saved, and on the sign-in page that its words are kept.
function mark(form, id) {
  form.querySelector("[name=draft]")?.remove();
  if (id) form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "draft", value: id }));
}

// From now on the page may say that words are kept.
function kept(form) {
  form.dataset.kept = "";
  for (const words of document.querySelectorAll("[data-words-kept]")) {
    words.textContent = words.dataset.wordsKept;
    delete words.dataset.wordsKept;
  }
}

function storeAll() {
  pending.forEach(store);
}

// Offering ----------------------------------------------------------------------------------------

async function begin(form) {
  if (notes.has(form)) return;
  const note = { ...NEW, id: newId() };
  notes.set(form, note);
  const [name] = await Promise.all([nameOf(keys[0], titleOf(form)), offerEarlier(form)]);
  note.name = name;
  noticed(form); // typed before the keys were there
}

async function offerEarlier(form) {
  const note = notes.get(form);
  // A stale page comes back with the words, beside what is stored now: these are not offered a second time.
  const sent = form.querySelector("[name=draft]")?.value;
  const found = (await Promise.all(keys.map((key) => earlierNotes(key, form)))).flat();
  for (const earlier of found.sort((one, other) => other.at - one.at)) {
    if (earlier.id === note.id) continue;
    if (earlier.id !== sent && !says(form, earlier.fields)) return put(form, earlier);
    adopt(form, earlier.id); // the server gave the words back with the form
  }
}

async function earlierNotes(key, form) {
  const name = await nameOf(key, titleOf(form));
  const rows = await ofForm(name);
  const contents = await Promise.all(rows.map((row) => opened(key, row, name + row.id)));
  return rows.map((row, place) => ({ id: row.id, ...contents[place] })).filter((earlier) => earlier.fields);
}

function adopt(form, id) {
  const note = notes.get(form);
  Object.assign(note, { id, isStored: true, isAdopted: true });
  mark(form, id);
  kept(form);
}

function put(form, earlier) {
  form.querySelector(".draft-offer")?.remove();
  const box = /** @type {HTMLElement} */ (offer.content.firstElementChild.cloneNode(true));
  const time = box.querySelector("time");
  time.dateTime = new Date(earlier.at).toISOString();
  time.textContent = inWords(new Date(earlier.at));
  box.querySelector("[data-use]").addEventListener("click", () => use(form, earlier, box));
  box.querySelector("[data-discard]").addEventListener("click", () => discard(form, earlier, box));
  form.prepend(box);
}

// "3 March, 10:52", with the year where it is another one.
function inWords(at) {
  const year = at.getFullYear() === new Date().getFullYear() ? {} : { year: "numeric" };
  const day = at.toLocaleDateString("en-GB", { day: "numeric", month: "long", ...year });
  return `${day}, ${at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })}`;
}

// What stood here until now stays a note of its own.
function use(form, earlier, box) {
  box.remove();
  fill(form, earlier.fields);
  adopt(form, earlier.id);
  noticed(form);
  wordsOf(form)[0].focus();
}

async function discard(form, earlier, box) {
  box.remove();
  wordsOf(form)[0].focus();
  await forget(earlier.id);
  await offerEarlier(form);
}

// What the page tells us --------------------------------------------------------------------------

// The server says so with a cookie, on whatever page comes next.
async function forgetWhatWasSaved() {
  const [, name, id] = document.cookie.split("; ").map((one) => SAVED.exec(one)).find((found) => found) || [];
  if (!id) return;
  document.cookie = `${name}=; path=/; max-age=0${location.protocol === "https:" ? "; secure" : ""}`;
  for (const form of pending) if (notes.get(form).id === id) pending.delete(form);
  await forget(id);
}

async function look() {
  await forgetWhatWasSaved();
  const forms = [...document.querySelectorAll(FORMS)].filter((form) => isKept(form) && !notes.has(form));
  if (!forms.length || hasEnded) return;
  const fetched = keys ?? (await fetchKeys(offer.dataset.keys));
  if (!fetched) setTimeout(look, AGAIN);
  if (!fetched || hasEnded) return;
  keys = fetched;
  await Promise.all(forms.map(begin));
}

// Somebody else has this browser now, or will: what is typed is kept, what opens it is gone.
function end() {
  storeAll();
  hasEnded = true;
  keys = null;
}

if (canSeal && offer) {
  document.addEventListener("input", (event) => event.target.form && noticed(event.target.form));
  document.addEventListener("change", (event) => event.target.form && noticed(event.target.form));
  document.addEventListener("submit", (event) => store(event.target), { capture: true });
  document.addEventListener("visibilitychange", () => document.hidden && storeAll());
  document.addEventListener("htmx:afterRequest", forgetWhatWasSaved);
  document.addEventListener("htmx:afterSettle", look);
  if (globalThis.BroadcastChannel) new BroadcastChannel("hand-over").addEventListener("message", end);
  addEventListener("pagehide", end);
  forgetTheOld();
  look();
}
