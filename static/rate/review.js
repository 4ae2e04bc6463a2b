// Shows what the client marked before it is handed in: small lines and words, no number, no total.

export function fill(section, form, lines) {
  // While a line is being marked in the list nothing moves under the finger.
  const keepsRoom = section.querySelector("[data-open]") !== null;
  let unmarked = 0;
  for (const line of lines) {
    const missing = line.value === null && !line.declined.checked;
    if (missing) unmarked += 1;
    show(section.querySelector(`[data-unmarked-line="${line.id}"]`), missing, keepsRoom);
    draw(section.querySelector(`[data-seen="${line.id}"]`), line);
  }
  show(section.querySelector("[data-unmarked]"), unmarked > 0, keepsRoom);
  const { comment, share_comment: shared } = form.elements;
  if (comment) tell(section, comment.value.trim(), shared?.checked ?? false);
}

function show(part, isShown, keepsRoom) {
  part.hidden = !isShown && !keepsRoom;
  part.toggleAttribute("data-empty", !isShown);
}

// Takes the line itself into the list; what is given back puts it where it was.
export function openIn(section, line) {
  const seen = section.querySelector(`[data-seen="${line.id}"]`);
  const place = document.createComment("");
  line.root.replaceWith(place);
  seen.append(line.root);
  seen.toggleAttribute("data-open", true);
  return () => {
    if (place.isConnected) place.replaceWith(line.root);
    seen.toggleAttribute("data-open", false);
  };
}

function draw(seen, line) {
  const state = line.declined.checked ? "declined" : line.value === null ? "unmarked" : "marked";
  for (const part of seen.querySelectorAll("[data-state]")) part.hidden = part.dataset.state !== state;
  if (state !== "marked") return;
  seen.querySelector("[data-said]").textContent = line.phrase;
  const mark = seen.querySelector(".mark");
  if (!mark) return;
  const place = `${(100 * (line.value - line.low)) / (line.high - line.low)}%`;
  mark.setAttribute("x1", place);
  mark.setAttribute("x2", place);
}

function tell(section, comment, shared) {
  section.querySelector("[data-seen-comment]").hidden = comment === "";
  section.querySelector("[data-comment]").textContent = comment;
  section.querySelector('[data-shared="yes"]').hidden = !shared;
  section.querySelector('[data-shared="no"]').hidden = shared;
}
