// Two lines at a time on a narrow screen. Only the sheet hides what is not on its turn: a phone that is
// laid on its side, or a page without this file, shows all lines.
//
// There each step is an entry of the browser's history, with its place and nothing else in it: Back goes to
// the line before, and not off with every mark. Below them lies the entry that the page came with.

const A_MOMENT = 500;
const MOST_ENTRIES = 44; // a browser keeps 50 in all, and what is dropped there is no way back for `unwind`

// isOpen(): whether lines or review are on the screen. onStep(part): Back or Forward went there; without a
// part, to the review. onEdge(isThere): one more Back leaves the page, or not any more.
export function takeTurns(marking, { isOpen, onStep, onEdge }) {
  const parts = [...marking.querySelectorAll("[data-turn]")];
  const sections = [...marking.querySelectorAll("[data-part]")];
  const stride = Math.ceil(parts.length / MOST_ENTRIES); // so many turns share an entry
  const levelOf = (place) => Math.floor(place / stride);
  const lastLevel = levelOf(parts.length - 1);
  let now = 0;
  let depth = placeIn(history.state); // a line is one deeper than its place; the review comes after the last

  function lay(part) {
    now = parts.indexOf(part);
    for (const one of parts) one.toggleAttribute("data-now", one === part);
    for (const one of sections) one.toggleAttribute("data-now", one.contains(part));
    marking.dataset.at = part === parts[0] ? "first" : part === parts[parts.length - 1] ? "last" : "between";
  }

  // `aim`: a line, or the turn it is part of.
  function show(aim) {
    const part = aim?.closest("[data-turn]");
    if (!parts.includes(part)) return;
    lay(part);
    if (now > 0 || depth > 0) note(levelOf(now));
  }

  function isNarrow() {
    return getComputedStyle(marking).getPropertyValue("--takes-turns").trim() === "1";
  }

  function note(level) {
    if (!isNarrow()) return;
    while (depth <= level) history.pushState(++depth, "");
    if (depth > level + 1) history.go(level + 1 - depth);
    depth = level + 1;
  }

  // The turn that Back or Forward leads to: the last one of its entry; none where that is the review.
  function partAt(level) {
    if (level <= 0) return parts[0];
    return level > lastLevel ? undefined : parts[Math.min(level * stride + stride, parts.length) - 1];
  }

  function turn(by) {
    show(parts[now + by]);
    scrollTo(0, 0);
    aimOf(parts[now]).focus({ preventScroll: true });
  }

  // Only what somebody does adds an entry: browsers pass over others.
  function arm() {
    if (depth > 0 || !isNarrow()) return;
    note(0);
    onEdge(false);
  }

  // The entry that the page came with: what is left behind is no way back into a form that is gone.
  async function unwind() {
    if (depth === 0) return;
    const back = new Promise((resolve) => addEventListener("popstate", resolve, { once: true }));
    history.go(-depth);
    depth = 0;
    await Promise.race([back, new Promise((resolve) => setTimeout(resolve, A_MOMENT))]);
  }

  addEventListener("popstate", ({ state }) => {
    if (placeIn(state) === depth) return; // we went there ourselves
    depth = placeIn(state);
    if (!isOpen()) return;
    onStep(partAt(depth - 1));
    onEdge(depth === 0);
  });

  for (const sign of ["click", "input"]) marking.addEventListener(sign, arm);
  marking.querySelector("[data-back]").addEventListener("click", () => turn(-1));
  marking.querySelector("[data-next]").addEventListener("click", () => turn(1));
  marking.addEventListener("click", (event) => {
    const link = event.target.closest('#errors a[href^="#"]');
    if (!link) return;
    event.preventDefault(); // its fragment would be an entry of the history
    const aim = document.querySelector(link.hash);
    show(aim);
    aim.focus();
    aim.scrollIntoView({ block: "start" });
  });
  lay(parts[0]);
  // Loaded again in the middle, with every mark gone: from the beginning.
  unwind();
  return { show, first: () => show(parts[0]), toReview: () => note(lastLevel + 1), unwind };
}

// What is read and focused where a turn begins: its first line.
export function aimOf(target) {
  return target.matches("[data-turn]") ? target.querySelector("[tabindex]") : target;
}

function placeIn(state) {
  return Number.isInteger(state) ? state : 0;
}
