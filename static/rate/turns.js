// One line at a time on a narrow screen. Only the sheet hides what is not on its turn: a phone that is
// laid on its side, or a page without this file, shows all lines.

export function takeTurns(marking) {
  const parts = [...marking.querySelectorAll("[data-turn]")];
  let now = 0;

  function show(part) {
    if (!parts.includes(part)) return;
    now = parts.indexOf(part);
    for (const one of parts) one.toggleAttribute("data-now", one === part);
    marking.dataset.at = part === parts[0] ? "first" : part === parts.at(-1) ? "last" : "between";
  }

  function turn(by) {
    show(parts[now + by]);
    scrollTo(0, 0);
    parts[now].focus({ preventScroll: true });
  }

  marking.querySelector("[data-back]").addEventListener("click", () => turn(-1));
  marking.querySelector("[data-next]").addEventListener("click", () => turn(1));
  marking.addEventListener("click", (event) => {
    const link = event.target.closest('#errors a[href^="#"]');
    if (link) show(document.querySelector(link.hash).closest("[data-turn]"));
  });
  show(parts[0]);
  return { show, first: () => show(parts[0]) };
}
