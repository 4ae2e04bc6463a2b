// How far a download is. Without this the form downloads as any other.

const form = /** @type {HTMLFormElement} */ (document.querySelector("[data-download]"));
const progress = form.querySelector("[data-progress]");
const counted = form.querySelector("[data-said]");
const bar = form.querySelector("progress");
const stopping = form.querySelector("[data-stop]");
const broken = form.querySelector("[data-broken]");
const NEWLINE = 10;
const EVERY = 250;
/** @type {AbortController} */
let current;

const inWords = (number) => number.toLocaleString("en");

function say(rows, total) {
  bar.max = Math.max(total, 1);
  // Cells can hold lines of their own: there may be more lines than rows.
  bar.value = Math.min(rows, total);
  counted.textContent = `${inWords(bar.value)} of ${inWords(total)} rows`;
}

function linesIn(piece) {
  let lines = 0;
  for (let place = piece.indexOf(NEWLINE); place >= 0; place = piece.indexOf(NEWLINE, place + 1)) lines += 1;
  return lines;
}

async function pieces(response, total) {
  const reader = response.body.getReader();
  const found = [];
  let lines = 0;
  let next = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return found;
    found.push(value);
    lines += linesIn(value);
    if (performance.now() < next) continue;
    next = performance.now() + EVERY;
    say(lines, total);
  }
}

// A server that fails half-way ends its answer as if it were finished. The list of a ZIP comes last, and so does the
// bracket of JSON.
async function isWhole(file) {
  const end = new Uint8Array(await file.slice(-22).arrayBuffer());
  if (file.type === "application/zip") return String.fromCharCode(...end.slice(0, 4)) === "PK\x05\x06";
  return String.fromCharCode(...end).endsWith("}}\n");
}

function keep(file, response) {
  const [, name] = response.headers.get("Content-Disposition").match(/filename="([^"]+)"/);
  const href = URL.createObjectURL(file);
  const link = Object.assign(document.createElement("a"), { href, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(href), 60000);
}

async function download() {
  current = new AbortController();
  broken.hidden = true;
  const response = await fetch(form.action, { method: "POST", body: new FormData(form), signal: current.signal });
  // A question, a sign-in, or what is wrong with the form: a page, which the browser is to show itself.
  if (!response.headers.get("Content-Disposition")) {
    form.submit();
    return;
  }
  const total = Number(response.headers.get("X-Rows"));
  progress.hidden = false;
  say(0, total);
  const file = new Blob(await pieces(response, total), { type: response.headers.get("Content-Type") });
  if (!(await isWhole(file))) throw new Error("It broke off.");
  keep(file, response);
  counted.textContent = "The file is complete. Look among your downloads.";
  bar.hidden = stopping.hidden = true;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.setAttribute("aria-disabled", "true");
  bar.hidden = stopping.hidden = false;
  try {
    await download();
  } catch (error) {
    progress.hidden = true;
    broken.hidden = /** @type {Error} */ (error).name === "AbortError";
  }
  button.removeAttribute("aria-disabled");
});

stopping.addEventListener("click", () => {
  current?.abort();
  progress.hidden = true;
});
