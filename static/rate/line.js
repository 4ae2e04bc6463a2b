// One line. The native range serves keyboard and screen reader; the strip around it serves finger and
// mouse, because a native range does not answer to a tap beside its thumb on every tablet, and never
// reports a tap on the value it starts with.

const SLIP = 6; // a finger moves this many pixels before it means to slide and not to scroll
const HOLD = 500; // milliseconds until a held minus or plus repeats
const REPEAT = 80;

export function lineOf(root, options) {
  return "choices" in root.dataset ? new Question(root, options) : new Line(root, options);
}

// A question with a few answers: the browser's own radios, and what a line can do for the rest of the page.
class Question {
  constructor(root, { onChange }) {
    this.root = root;
    this.id = root.dataset.line;
    this.declined = root.querySelector("input[type=checkbox]");
    this.choices = [...root.querySelectorAll("input[type=radio]")];
    root.addEventListener("change", (event) => {
      if (event.target !== this.declined) this.declined.checked = false;
      else if (this.declined.checked) this.leave();
      else this.choose(this.left);
      onChange();
    });
  }

  get chosen() {
    return this.choices.find((choice) => choice.checked) ?? null;
  }

  get value() {
    const { chosen } = this;
    return chosen && Number(chosen.value);
  }

  get phrase() {
    const [number, said] = this.chosen.nextElementSibling.children;
    return said.textContent || number.textContent;
  }

  // Taking the tick away again brings the answer back.
  leave() {
    this.left = this.chosen;
    this.choose(null);
  }

  choose(wanted) {
    for (const choice of this.choices) choice.checked = choice === wanted;
  }

  reword() {} // its words are the page's own

  forget() {
    this.left = null;
    this.declined.checked = false;
    this.choose(null);
  }
}

export class Line {
  constructor(root, { bands, onChange }) {
    this.root = root;
    this.bands = bands;
    this.onChange = onChange;
    this.id = root.dataset.line;
    this.range = root.querySelector("input[type=range]");
    this.strip = root.querySelector("[data-strip]");
    this.declined = root.querySelector("input[type=checkbox]");
    this.numbers = [...root.querySelectorAll("input[type=radio]")];
    this.over = root.querySelector("select");
    this.said = root.querySelector("[data-said]");
    this.low = Number(this.range.min);
    this.high = Number(this.range.max);
    this.keep();
    this.listen();
    this.put(root.dataset.tenths === "" ? null : Number(root.dataset.tenths));
  }

  // The hidden field carries the mark in tenths; radios and added tenths are a view of it from now on.
  keep() {
    this.field = Object.assign(document.createElement("input"), { type: "hidden", name: this.id });
    this.root.append(this.field);
    for (const number of this.numbers) number.name = `${this.id}-number`;
    this.over?.removeAttribute("name");
  }

  get value() {
    return this.field.value === "" ? null : Number(this.field.value);
  }

  get phrase() {
    if (this.value === null) return this.range.dataset.unset;
    const place = (100 * (this.value - this.low)) / (this.high - this.low);
    return JSON.parse(this.root.dataset.words)[this.bands.findIndex((end) => place <= end)];
  }

  // Show `tenths` (null: no mark) without telling anybody.
  put(tenths) {
    this.field.value = tenths ?? "";
    this.root.toggleAttribute("data-marked", tenths !== null);
    this.range.value = tenths ?? (this.low + this.high) / 2;
    this.range.setAttribute("aria-valuetext", this.phrase);
    const whole = tenths === null ? null : Math.floor(tenths / 10) * 10;
    for (const number of this.numbers) number.checked = Number(number.value) === whole;
    if (!this.over) return;
    this.over.value = tenths === null ? 0 : tenths - whole;
    this.over.disabled = whole === null || whole === this.high;
  }

  // The words of the page changed their language: say the mark in it.
  reword() {
    this.said.textContent = "";
    this.range.setAttribute("aria-valuetext", this.phrase);
  }

  mark(tenths, way) {
    this.declined.checked = false;
    this.put(Math.min(this.high, Math.max(this.low, tenths)));
    this.onChange(way);
  }

  say() {
    this.said.textContent = this.phrase;
  }

  forget() {
    this.left = null;
    this.declined.checked = false;
    this.said.textContent = "";
    this.put(null);
  }

  listen() {
    this.range.addEventListener("input", () => this.mark(this.range.valueAsNumber, "line"));
    this.range.addEventListener("keydown", (event) => this.onKey(event));
    this.declined.addEventListener("change", () => this.onDeclined());
    for (const number of this.numbers) {
      // click and not change: the number below is shown as chosen, and choosing it is still a choice.
      number.addEventListener("click", () => this.mark(Number(number.value), "number"));
    }
    this.over?.addEventListener("change", () => {
      this.mark(Math.floor(this.value / 10) * 10 + Number(this.over.value), "number");
    });
    for (const button of this.root.querySelectorAll("[data-nudge]")) this.listenToNudge(button);
    this.listenToStrip();
  }

  onKey(event) {
    const moves = { PageUp: 10, PageDown: -10, Enter: 0, " ": 0 };
    if (!(event.key in moves) || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.mark(this.range.valueAsNumber + moves[event.key], "line");
  }

  // Taking the tick away again brings the mark back.
  onDeclined() {
    if (this.declined.checked) {
      this.left = this.value;
      this.put(null);
    } else {
      this.put(this.left ?? null);
    }
    this.onChange();
  }

  // A first touch puts the mark in the middle, every further one moves it by a tenth of a point.
  nudge(by) {
    this.mark(this.value === null ? this.range.valueAsNumber : this.value + by, "line");
  }

  listenToNudge(button) {
    const by = Number(button.dataset.nudge);
    let timer;
    let held = false;
    const repeat = () => {
      held = true;
      this.nudge(by);
      timer = setTimeout(repeat, REPEAT);
    };
    button.addEventListener("pointerdown", () => {
      held = false;
      timer = setTimeout(repeat, HOLD);
    });
    for (const end of ["pointerup", "pointerleave", "pointercancel"]) {
      button.addEventListener(end, () => clearTimeout(timer));
    }
    button.addEventListener("click", () => {
      if (!held) this.nudge(by);
      held = false;
      this.say();
    });
  }

  listenToStrip() {
    let start = null;
    const moved = (event) => event.pointerType === "mouse" || Math.abs(event.clientX - start.x) > SLIP;
    this.strip.addEventListener("pointerdown", (event) => {
      if (!event.isPrimary || event.button !== 0) return;
      this.strip.setPointerCapture(event.pointerId);
      start = { x: event.clientX, before: this.value, declined: this.declined.checked };
      if (event.pointerType === "mouse") this.put(this.at(event.clientX));
    });
    this.strip.addEventListener("pointermove", (event) => {
      if (start && event.isPrimary && moved(event)) this.put(this.at(event.clientX));
    });
    this.strip.addEventListener("pointerup", (event) => {
      if (!start || !event.isPrimary) return;
      start = null;
      this.mark(this.at(event.clientX), "line");
      this.range.focus({ preventScroll: true });
      this.say();
    });
    // The finger scrolls the page: what it touched on the way stays as it was.
    this.strip.addEventListener("pointercancel", () => {
      if (!start) return;
      this.put(start.before);
      this.declined.checked = start.declined;
      start = null;
    });
  }

  // The place the browser would draw the thumb at, the other way round; right to left mirrors it.
  at(x) {
    const box = this.range.getBoundingClientRect();
    const thumb = parseFloat(getComputedStyle(this.root).getPropertyValue("--thumb"));
    const along = (x - box.left - thumb / 2) / (box.width - thumb);
    const mirrored = getComputedStyle(this.range).direction === "rtl" ? 1 - along : along;
    const tenths = Math.round(this.low + Math.min(1, Math.max(0, mirrored)) * (this.high - this.low));
    return tenths;
  }
}
