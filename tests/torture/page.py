"""What is said inside the page: the client's hands, and a look at what the device keeps."""

# The inputs that finger and keyboard move too; by the line or by number and tenths.
MARK = """({answers, declined, comment, share, mode}) => {
  const form = document.getElementById("rating");
  for (const [item, tenths] of Object.entries(answers)) {
    const line = document.getElementById(`line-${item}`);
    const box = line.querySelector("input[type=checkbox]");
    if (tenths === null) {
      if (declined && !box.checked) box.click();
    } else if (mode === "line") {
      const range = line.querySelector("input[type=range]");
      range.value = tenths;
      range.dispatchEvent(new Event("input", { bubbles: true }));
    } else {
      line.querySelector(`input[type=radio][value="${tenths - (tenths % 10)}"]`).click();
      const over = line.querySelector("select");
      over.value = tenths % 10;
      if (tenths % 10) over.dispatchEvent(new Event("change", { bubbles: true }));
    }
  }
  form.elements.comment.value = comment;
  form.elements.share_comment.checked = share;
}"""
PRESS = """(step) => {
  const form = document.getElementById("rating");
  form?.requestSubmit(form.querySelector(`section:not([hidden]) button[value="${step}"]`));
}"""
# Whole, that is: a page that broke off half-way is opened again.
IS_FORM = (
    "() => document.getElementById('marking')?.hidden === false && Boolean(document.getElementById('kept'))"
)
IS_READY = "() => document.querySelector('[data-ways]')?.hidden === false"
IS_KEPT = "() => document.getElementById('kept')?.hidden === false"
IS_SENDING = "() => Boolean(document.getElementById('sending')?.textContent)"
SAYS_UNSENT = """() => {
  const status = document.getElementById("sending");
  return Boolean(status) && status.textContent === status.dataset.unsent;
}"""

# How many deliveries wait. It must not make the database by looking.
WAITING = """() => new Promise((resolve) => {
  const open = indexedDB.open("ratings");
  open.onupgradeneeded = () => open.transaction.abort();
  open.onerror = () => resolve(0);
  setTimeout(() => resolve(1), 2000); // cleared or blocked meanwhile: nobody can look just now
  open.onsuccess = () => {
    const count = open.result.transaction("queue").objectStore("queue").count();
    count.onsuccess = () => {
      open.result.close();
      resolve(count.result);
    };
  };
})"""

# While the page alone has the marks it asks not to be left. Once it asks no longer, they are promised.
PROMISE = "torture: promised"
WATCH = """(() => {
  if (globalThis.tortureWatches) return;
  globalThis.tortureWatches = true;
  const { addEventListener: add, removeEventListener: remove } = EventTarget.prototype;
  let asks = false;
  globalThis.addEventListener = (type, ...rest) => {
    if (type === "beforeunload") asks = true;
    return add.call(globalThis, type, ...rest);
  };
  globalThis.removeEventListener = (type, ...rest) => {
    if (type === "beforeunload" && asks) console.debug("PROMISE");
    return remove.call(globalThis, type, ...rest);
  };
})()""".replace("PROMISE", PROMISE)

# The device's clock, wrong by so many milliseconds.
CLOCK = """(() => {
  const Real = (globalThis.tortureDate ??= Date);
  globalThis.Date = class extends Real {
    constructor(...parts) {
      parts.length ? super(...parts) : super(Real.now() + OFF);
    }
    static now() {
      return Real.now() + OFF;
    }
  };
})()"""

# A second instead of fifteen: how long it is does not matter, that it ends does.
HURRY = """(() => {
  const timeout = AbortSignal.timeout;
  AbortSignal.timeout = () => timeout.call(AbortSignal, 1000);
})()"""
