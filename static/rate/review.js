// Shows what the client marked before it is handed in: small lines and words, no number, no total.

export function fill(section, form, lines) {
  let unmarked = 0;
  for (const line of lines) {
    const missing = line.value === null && !line.declined.checked;
    if (missing) unmarked += 1;
    section.querySelector(`[data-unmarked-line="${line.id}"]`).hidden = !missing;
    draw(section.querySelector(`[data-seen="${line.id}"]`), line);
  }
  section.querySelector("[data-unmarked]").hidden = unmarked === 0;
  tell(section, form.elements.comment.value.trim(), form.elements.share_comment.checked);
}

function draw(seen, line) {
  const state = line.declined.checked ? "declined" : line.value === null ? "unmarked" : "marked";
  for (const part of seen.querySelectorAll("[data-state]")) part.hidden = part.dataset.state !== state;
  if (state !== "marked") return;
  const place = `${(100 * (line.value - line.low)) / (line.high - line.low)}%`;
  const mark = seen.querySelector(".mark");
  mark.setAttribute("x1", place);
  mark.setAttribute("x2", place);
  seen.querySelector("[data-said]").textContent = line.phrase;
}

function tell(section, comment, shared) {
  section.querySelector("[data-seen-comment]").hidden = comment === "";
  section.querySelector("[data-comment]").textContent = comment;
  section.querySelector('[data-shared="yes"]').hidden = !shared;
  section.querySelector('[data-shared="no"]').hidden = shared;
}
