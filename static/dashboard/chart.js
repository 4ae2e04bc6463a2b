// Draws the picture of a client's page, and tells of each point on hover, by keyboard and on press. The server sends
// plain figures whose colours are names of custom properties, so light, dark and high contrast each show their own.

const CONFIG = {
  staticPlot: true, // what points tell is told below, in the same way for mouse, finger and keys
  displayModeBar: false,
  responsive: false,
  // Plotly's "Share chart" would upload the figure to its maker; the content policy does not stop that.
  showSendToCloud: false,
  plotlyServerURL: "",
  displaylogo: false,
};
const HEIGHT = 560;
const NARROW = 560;
const LETTER = 6.6; // a letter of a label is about as wide
const TICK = 28; // between two numbered talks

const pictures = new WeakMap();

// Marks and totals have one decimal always, as the server writes them (`points` in alliance/measurement/scoring.py).
const inPoints = (value) => value.toFixed(1);

function coloured(value, style, dates) {
  if (value === "@dates") return dates;
  if (typeof value === "string") return value.startsWith("--") ? style.getPropertyValue(value).trim() : value;
  if (Array.isArray(value)) return value.map((one) => coloured(one, style, dates));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, coloured(one, style, dates)]));
}

// Plotly reads dates as UTC; so both count the same.
const moment = (text) => Date.parse(`${text}Z`);

// Written as minutes from the first session on; null where another form begins.
function datesOf({ begins, minutes }) {
  const from = moment(begins);
  return minutes.map((after) => (after === null ? null : new Date(from + after * 60_000).toISOString().slice(0, 16)));
}

class Picture {
  constructor(place) {
    this.place = place;
    this.chart = place.querySelector("[data-chart]");
    this.cursor = place.querySelector("[data-cursor]");
    this.point = place.querySelector("[data-point]");
    this.source = JSON.parse(document.getElementById(place.dataset.picture).textContent);
    this.dates = datesOf(this.source);
    const { data } = this.source.figure;
    this.total = this.figureOf("Total");
    this.lines = data.filter((trace) => trace.yaxis);
    // The places in the list of dates at which there is a session.
    this.stops = this.source.numbers.flatMap((number, at) => (number === null ? [] : [at]));
    this.selected = this.stops.length - 1;
    this.pinned = false;
    this.drawnFor = 0;
    this.listen();
    new ResizeObserver(() => requestAnimationFrame(() => this.draw())).observe(place);
  }

  // A folded part has no width to draw into; it gets one when it is opened.
  async draw(again = false) {
    const width = this.place.clientWidth;
    if (!width || !window.Plotly || (width === this.drawnFor && !again)) return;
    this.drawnFor = width;
    const style = getComputedStyle(document.documentElement);
    const { data, layout } = coloured(this.source.figure, style, this.dates);
    this.margin = layout.margin;
    this.inner = width - layout.margin.l - layout.margin.r;
    this.fit(data, layout);
    await window.Plotly.react(this.chart, data, { ...layout, width, height: HEIGHT }, CONFIG);
    this.yaxis = layout.yaxis;
    this.place.dataset.drawn = String(width);
    this.asSlider();
    if (!this.point.hidden) this.tell(this.selected);
  }

  // Labels that would not fit are broken, or left out where the point, or the words above, tell the same.
  fit(data, layout) {
    layout.xaxis.nticks = Math.max(4, Math.floor(this.inner / 70));
    const isNarrow = this.place.clientWidth < NARROW;
    let reasons = 0;
    layout.annotations = layout.annotations.filter(
      ({ name }) => !isNarrow || (name !== "usual" && (name !== "reason" || !reasons++)),
    );
    for (const one of layout.annotations) {
      if (one.name === "level") this.placeWords(one);
    }
    const talks = data.find((trace) => trace.name === "Talks");
    if (talks) this.thin(talks);
  }

  // They end at the last rating; where that lies far to the left they begin at the left edge.
  placeWords(words) {
    const left = this.x(words.x);
    const right = this.place.clientWidth - this.margin.l;
    const lines = words.text.length * LETTER <= Math.max(left, right) ? [words.text] : inTwo(words.text);
    words.text = lines.join("<br>");
    words.align = "right";
    if (Math.max(...lines.map((line) => line.length)) * LETTER > left) {
      Object.assign(words, { xref: "paper", x: 0, xanchor: "left", align: "left" });
    }
  }

  // Talks that would lie over each other are drawn as one: "4–6".
  thin(talks) {
    const groups = [];
    for (const [number, date] of this.source.talks) {
      const group = groups[groups.length - 1];
      if (group && this.x(date) - this.x(group.date) < TICK) group.last = number;
      else groups.push({ date, first: number, last: number });
    }
    talks.x = groups.map(({ date }) => date);
    talks.y = groups.map(() => talks.y[0]);
    talks.text = groups.map(({ first, last }) => (first === last ? String(first) : `${first}–${last}`));
    talks.marker.opacity = groups.map(({ first, last }) => Number(first === last));
  }

  x(date) {
    const [first, last] = this.source.range.map(moment);
    return this.margin.l + ((moment(date) - first) / (last - first)) * this.inner;
  }

  height(share) {
    return this.margin.t + (1 - share) * (HEIGHT - this.margin.t - this.margin.b);
  }

  y(value) {
    const [low, high] = this.yaxis.domain;
    const [floor, ceiling] = this.yaxis.range;
    return this.height(low + ((value - floor) / (ceiling - floor)) * (high - low));
  }

  // --- What points tell

  listen() {
    const at = (event) => event.clientX - this.place.getBoundingClientRect().left;
    this.chart.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse" && !this.pinned) this.tell(this.nearest(at(event)));
    });
    this.place.addEventListener("pointerleave", () => this.leave());
    this.chart.addEventListener("click", (event) => {
      const talk = this.talkAt(at(event), event.clientY - this.place.getBoundingClientRect().top);
      this.pinned = true;
      this.tell(talk ?? this.nearest(at(event)));
    });
    this.chart.addEventListener("keydown", (event) => this.key(event));
    this.chart.addEventListener("focus", () => {
      if (this.chart.matches(":focus-visible")) this.tell(this.selected);
    });
    this.place.addEventListener("focusout", (event) => {
      if (!this.place.contains(event.relatedTarget)) this.hide();
    });
    this.place.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.hide();
    });
    document.addEventListener("pointerdown", (event) => {
      if (this.place.isConnected && !this.place.contains(event.target)) this.hide();
    });
  }

  key(event) {
    const last = this.stops.length - 1;
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: -last, End: last };
    if (event.key === "Enter") return this.point.querySelector("a")?.click();
    if (!(event.key in steps) || event.altKey || event.ctrlKey || event.metaKey) return undefined;
    event.preventDefault();
    const from = event.key === "Home" ? last : event.key === "End" ? 0 : this.selected;
    return this.tell(Math.min(last, Math.max(0, from + steps[event.key])));
  }

  nearest(x) {
    const away = this.stops.map((at) => Math.abs(this.x(this.dates[at]) - x));
    return away.indexOf(Math.min(...away));
  }

  // The stop of the session that a numbered talk was about, where one was pressed.
  talkAt(x, y) {
    const row = this.figureOf("Talks");
    if (!row || Math.abs(this.y(row.y[0]) - y) > 22) return null;
    const near = this.source.talks.map(([, date, session]) => [Math.abs(this.x(date) - x), session]).sort((a, b) => a[0] - b[0]);
    if (!near.length || near[0][0] > 22) return null;
    const stop = this.stops.findIndex((at) => this.source.numbers[at] === near[0][1]);
    return stop < 0 ? null : stop;
  }

  figureOf(name) {
    return this.source.figure.data.find((trace) => trace.name === name);
  }

  tell(stop) {
    if (!this.stops.length || !this.yaxis) return;
    this.selected = stop;
    const at = this.stops[stop];
    this.fill(at);
    this.point.hidden = false;
    const x = this.x(this.dates[at]);
    const room = this.place.clientWidth - this.point.offsetWidth;
    this.point.style.left = `${Math.min(Math.max(0, x - this.point.offsetWidth / 2), room)}px`;
    this.point.style.top = `${this.height(this.yaxis.domain[0]) + 2}px`;
    const total = this.total.y[at];
    this.cursor.hidden = false;
    this.cursor.toggleAttribute("data-unrated", total === null);
    const top = this.height(1);
    Object.assign(this.cursor.style, { left: `${x}px`, top: `${top}px`, height: `${this.height(this.yaxis.domain[0]) - top}px` });
    if (total !== null) this.cursor.style.setProperty("--at", `${this.y(total) - top}px`);
    this.asSlider();
  }

  leave() {
    if (!this.pinned && !this.place.contains(document.activeElement)) this.hide();
  }

  hide() {
    this.pinned = false;
    this.point.hidden = true;
    this.cursor.hidden = true;
  }

  // The control that a screen reader knows for a value among many: arrows move it, its text is read.
  asSlider() {
    const at = this.stops[this.selected];
    if (at === undefined) return;
    const said = [this.head(at), ...this.marks(at), ...this.reasons(at)].join(", ");
    const own = { role: "slider", tabindex: 0, "aria-label": "Sessions in the picture", "aria-describedby": "course-words" };
    const value = { "aria-valuemin": 1, "aria-valuemax": this.stops.length, "aria-valuenow": this.selected + 1, "aria-valuetext": said };
    for (const [name, text] of Object.entries({ ...own, ...value })) this.chart.setAttribute(name, String(text));
  }

  head(at) {
    const day = new Date(moment(this.dates[at])).toLocaleDateString("en-GB", { timeZone: "UTC", day: "numeric", month: "long", year: "numeric" });
    const total = this.total.y[at];
    const said = total === null ? "no complete rating" : `${inPoints(total)} of ${this.source.top}`;
    return `Session ${this.source.numbers[at]}, ${day}: ${said}`;
  }

  marks(at) {
    return this.lines.flatMap((line) => (line.y[at] === null ? [] : [`${line.name} ${inPoints(line.y[at])}`]));
  }

  reasons(at) {
    return [...(this.source.reasons[at] ?? "")].map((letter) => this.source.words[letter]);
  }

  fill(at) {
    const number = this.source.numbers[at];
    const row = document.getElementById(`session-${number}`);
    const head = made("p", {}, made("strong", {}, this.head(at)));
    const parts = [head, list(this.marks(at)), list(this.reasons(at))];
    const words = [...(row?.querySelectorAll(".comment, .discussion > p:first-child") ?? [])].map((one) => one.cloneNode(true));
    if (words.length) parts.push(made("div", { "data-words": "" }, ...words));
    const asks = row ? "To its row in the table" : "Show its row, with what was said";
    const link = made("a", { href: `#session-${number}` }, asks);
    link.addEventListener("click", (event) => toRow(event, number));
    this.point.replaceChildren(...parts.filter(Boolean), link);
  }
}

// The two halves of a text, as even as its words allow.
function inTwo(text) {
  const words = text.split(" ");
  const halves = words.map((_, at) => [words.slice(0, at).join(" "), words.slice(at).join(" ")]);
  const longest = (pair) => Math.max(pair[0].length, pair[1].length);
  return halves.reduce((best, pair) => (longest(pair) < longest(best) ? pair : best));
}

function made(name, attributes, ...inside) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...inside);
  return element;
}

function list(texts) {
  return texts.length ? made("ul", {}, ...texts.map((text) => made("li", {}, text))) : null;
}

// The rows of a long course come when they are asked for; then the reader stands at the one that was wanted.
let wanted = null;

function toRow(event, number) {
  event.preventDefault();
  const row = document.getElementById(`session-${number}`);
  if (row) return stand(row);
  wanted = number;
  return document.querySelector("#earlier-sessions [data-rest]")?.click();
}

function stand(row) {
  row.scrollIntoView({ block: "center" });
  row.focus({ preventScroll: true });
}

// --- The page

function drawAll(again) {
  for (const place of document.querySelectorAll("[data-picture]")) {
    if (!pictures.has(place)) pictures.set(place, new Picture(place));
    void pictures.get(place).draw(again === true);
  }
}

drawAll();
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

document.addEventListener("htmx:afterSettle", (event) => {
  const course = document.getElementById("course");
  if (event.target.id !== "course" && !course?.contains(event.target)) return;
  if (event.target.id === "questionnaires") return; // they come by themselves: nothing else is drawn, and nobody is led
  drawAll();
  const asked = event.detail.requestConfig;
  if (asked?.headers["X-Poll"]) {
    const words = ["course-answer", "course-words"].map((id) => document.getElementById(id)?.textContent ?? "");
    document.getElementById("arrived").textContent = words.join(" ");
  } else if (asked?.elt.matches("[data-rest]")) {
    // Several parts come with one answer, each with an event of its own.
    if (event.target.id !== "earlier-sessions") return;
    const part = asked.elt.closest("[id^=earlier]")?.id ?? "earlier-sessions";
    const place = document.getElementById(wanted ? `session-${wanted}` : part);
    if (place) stand(place);
    wanted = null;
  } else if (asked) {
    tell();
  }
});
for (const medium of ["(prefers-color-scheme: dark)", "(prefers-contrast: more)", "(forced-colors: active)"]) {
  matchMedia(medium).addEventListener("change", () => drawAll(true));
}

// After a note or its undo: the reader stands where the answer is, not at the top of nowhere.
function tell() {
  const place = document.querySelector("#course .error-summary") ?? document.getElementById("messages");
  place?.setAttribute("tabindex", "-1");
  place?.focus();
}
