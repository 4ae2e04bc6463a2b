// A button for the browser's own print dialogue; without scripts its menu has the same.

const button = document.querySelector("[data-print]");
button.hidden = false;
button.addEventListener("click", () => print());
