// The box in the head of the list of clients: ticks every client on the page, or none.

const BOX = "[data-select-all]";

function show() {
  document.querySelectorAll(BOX).forEach((box) => box.removeAttribute("hidden"));
}

function boxesOf(table) {
  return [...table.querySelectorAll("input[type=checkbox]")].filter((box) => !box.matches(BOX));
}

document.addEventListener("change", (event) => {
  const box = event.target;
  if (!(box instanceof HTMLInputElement) || box.type !== "checkbox") {
    return;
  }
  const table = box.closest("table");
  const head = table && table.querySelector(BOX);
  if (!(head instanceof HTMLInputElement)) {
    return;
  }
  const boxes = boxesOf(table);
  if (box === head) {
    boxes.forEach((one) => {
      one.checked = head.checked;
    });
  }
  const ticked = boxes.filter((one) => one.checked).length;
  head.checked = ticked === boxes.length;
  head.indeterminate = ticked > 0 && ticked < boxes.length;
});

// A search draws the list again.
document.addEventListener("htmx:afterSwap", show);
show();
