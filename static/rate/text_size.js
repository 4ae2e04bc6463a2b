// How large the words are, for one form: the next client on this device begins with the usual size.

const NAME = "text-size";
const LARGEST = 2; // steps; static/rate/rate.css says how large each is

// grant: a promise of what names this form (seal.js). Without one nothing is kept, and a page loaded again is as usual.
export function offerTextSize(group, grant) {
  const buttons = [...group.querySelectorAll("button")];
  const before = kept();
  let size = 0;
  let ours;
  sessionStorage.clear(); // of another form; and htmx notes there which page of staff came last

  function choose(wanted) {
    size = Math.min(LARGEST, Math.max(0, wanted));
    show(size);
    for (const button of buttons) {
      const isEnd = size === (Number(button.dataset.larger) > 0 ? LARGEST : 0);
      button.setAttribute("aria-disabled", String(isEnd));
    }
    if (ours) sessionStorage.setItem(NAME, JSON.stringify({ grant: ours, size }));
  }

  for (const button of buttons) {
    button.addEventListener("click", () => choose(size + Number(button.dataset.larger)));
  }
  choose(0);
  group.hidden = false;
  grant.then((found) => {
    ours = found;
    choose(ours && before?.grant === ours ? before.size : size);
  });
}

// The page after the form is read by the same person. `isLast`: nobody needs it any more.
export function goOnAsBefore({ isLast }) {
  show(kept()?.size ?? 0);
  if (isLast) sessionStorage.removeItem(NAME);
}

function show(size) {
  document.documentElement.dataset.text = String(size);
}

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(NAME) ?? "null");
  } catch {
    return null;
  }
}
