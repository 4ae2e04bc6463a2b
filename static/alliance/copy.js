// Copies what stands in a field: a link to hand on. Without scripts the field is there to be marked and copied.

const button = document.querySelector("[data-copy]");
const field = /** @type {HTMLInputElement} */ (document.getElementById(button.dataset.copy));
const said = document.querySelector("[data-copied]");

button.hidden = false;
button.addEventListener("click", async () => {
  field.select();
  // Browsers offer the clipboard under HTTPS alone.
  const copied = await navigator.clipboard?.writeText(field.value).then(() => true, () => false);
  said.textContent = copied ? said.dataset.copied : said.dataset.notCopied;
});
