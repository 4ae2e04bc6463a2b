// Copies the link for the client's phone.

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
