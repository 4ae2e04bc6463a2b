// Answers typed one after the other: a whole one leads to the next field, and Enter does not send what is half done.

const fields = /** @type {HTMLInputElement[]} */ ([...document.querySelectorAll("[data-answers] input")]);

function next(field) {
  const following = fields[fields.indexOf(field) + 1];
  (following ?? field.form.querySelector("button:not([type=button])")).focus();
  following?.select();
}

for (const field of fields) {
  field.addEventListener("input", (event) => {
    const widest = Number(field.dataset.answer);
    // Only what is typed moves on: who mends a figure, or pastes one, stays where they are.
    const { inputType } = /** @type {InputEvent} */ (event);
    if (inputType === "insertText" && widest === 1 && field.value.length === 1) next(field);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      next(field);
    }
    if (event.key === "ArrowDown") next(field);
    if (event.key === "ArrowUp") fields[fields.indexOf(field) - 1]?.focus();
  });
}

export {}; // a module, whose names are its own
