// What a long form has beside form.js: how far one has come, and a pause. Both are in this page alone.

const form = document.getElementById("rating");

// How far -----------------------------------------------------------------------------------------

const howFar = form.querySelector("[data-how-far]");
const bar = howFar.querySelector("progress");
const words = howFar.querySelector("p");

// In the digits that the page is written in (alliance/languages.py).
function written(number) {
  const { lang } = document.documentElement;
  return number.toLocaleString(lang === "ar" ? "ar-u-nu-arab" : lang);
}

function tell() {
  const { all, seconds, answered, minute, minutes } = howFar.dataset;
  const done = form.querySelectorAll("[data-choices] input:checked").length; // one of each question at most
  const left = Math.floor(((Number(all) - done) * Number(seconds) + 30) / 60);
  const said = answered.replace("{n}", written(done)).replace("{all}", written(Number(all)));
  const time = left > 1 ? minutes.replace("{n}", written(left)) : minute;
  bar.value = done;
  words.textContent = done === Number(all) ? said : `${said} ${time}`;
}

form.addEventListener("change", tell);
form.addEventListener("reset", () => setTimeout(tell));
// Another language of the page.
new MutationObserver(tell).observe(howFar, { attributeFilter: ["data-answered"] });
howFar.hidden = false;
tell();

// A pause -----------------------------------------------------------------------------------------

// What lies under the dialog can be neither seen nor reached. Whatever forgets the answers empties the form,
// and there is nothing any more to go on with.
const cover = /** @type {HTMLDialogElement} */ (document.getElementById("pause"));
const begin = form.querySelector("[data-pause]");

if (cover.showModal) {
  begin.hidden = false;
  begin.addEventListener("click", () => cover.showModal());
  cover.querySelector("[data-go-on]").addEventListener("click", () => cover.close());
  form.addEventListener("reset", () => cover.close());
}

export {}; // a module, whose names are its own
