// Nobody touches the page: a warning a minute before the end, then the end. The clock of the timers stands
// still while a tablet sleeps, so the time of day is asked too when the page is seen again.

const WARNING = 60;
const SIGNS_OF_LIFE = ["pointerdown", "pointermove", "keydown", "input", "scroll", "touchstart"];

export function watch(seconds, { onWarning, onLife, onIdle }) {
  let warning;
  let end;
  let warned = false;
  let touched;
  function restart() {
    touched = Date.now();
    clearTimeout(warning);
    clearTimeout(end);
    if (warned) onLife();
    warned = false;
    warning = setTimeout(() => {
      warned = true;
      onWarning();
    }, Math.max(0, seconds - WARNING) * 1000);
    end = setTimeout(stop, seconds * 1000);
  }
  function stop() {
    clearTimeout(warning);
    clearTimeout(end);
    for (const sign of SIGNS_OF_LIFE) removeEventListener(sign, restart, true);
    document.removeEventListener("visibilitychange", look);
    onIdle();
  }
  // Either way: a clock that was put right while it slept tells nothing.
  function look() {
    if (!document.hidden && Math.abs(Date.now() - touched) > seconds * 1000) stop();
  }
  for (const sign of SIGNS_OF_LIFE) addEventListener(sign, restart, { capture: true, passive: true });
  document.addEventListener("visibilitychange", look);
  restart();
}
