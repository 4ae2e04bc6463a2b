// Nobody touches the page: a warning a minute before the end, then the end.

const WARNING = 60;
const SIGNS_OF_LIFE = ["pointerdown", "pointermove", "keydown", "input", "scroll", "touchstart"];

export function watch(seconds, { onWarning, onLife, onIdle }) {
  let warning;
  let end;
  let warned = false;
  function restart() {
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
    onIdle();
  }
  for (const sign of SIGNS_OF_LIFE) addEventListener(sign, restart, { capture: true, passive: true });
  restart();
}
