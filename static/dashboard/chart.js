// Draws the figures of a client's page. The server sends plain figures whose colours are names of
// custom properties, so light, dark and high contrast each show their own.

const CONFIG = {
  displayModeBar: false,
  responsive: true,
  // Plotly's "Share chart" would upload the figure to its maker; the content policy does not stop that.
  showSendToCloud: false,
  plotlyServerURL: "",
  displaylogo: false,
};

function coloured(value, style) {
  if (typeof value === "string") return value.startsWith("--") ? style.getPropertyValue(value).trim() : value;
  if (Array.isArray(value)) return value.map((one) => coloured(one, style));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, coloured(one, style)]));
}

function draw(place) {
  const source = document.getElementById(place.dataset.figure);
  // A closed <details> has no width to draw into.
  if (!source || !place.offsetWidth || !window.Plotly) return;
  const figure = coloured(JSON.parse(source.textContent), getComputedStyle(document.documentElement));
  window.Plotly.react(place, figure.data, figure.layout, CONFIG);
}

function drawAll() {
  document.querySelectorAll("[data-figure]").forEach(draw);
}

function listen() {
  document.querySelectorAll("[data-lines]").forEach((lines) => lines.addEventListener("toggle", drawAll));
}

drawAll();
listen();

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id !== "course" && !document.getElementById("course")?.contains(event.target)) return;
  drawAll();
  listen();
  if (event.detail.requestConfig?.headers["X-Poll"]) {
    document.getElementById("arrived").textContent = document.getElementById("course-words")?.textContent ?? "";
  } else if (event.detail.requestConfig) {
    tell();
  }
});
for (const medium of ["(prefers-color-scheme: dark)", "print"]) {
  matchMedia(medium).addEventListener("change", drawAll);
}

// After a note or its undo: the reader stands where the answer is, not at the top of nowhere.
function tell() {
  const place = document.querySelector("#course .error-summary") ?? document.getElementById("messages");
  place?.setAttribute("tabindex", "-1");
  place?.focus();
}
