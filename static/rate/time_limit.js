// The signal that ends a request after so many milliseconds. Tablets that get no new system lack the
// browser's own (Safari before 16, Chrome before 103), and without any signal nothing would ever be sent.

export function timeLimit(milliseconds) {
  if (AbortSignal.timeout) return AbortSignal.timeout(milliseconds);
  const limit = new AbortController();
  setTimeout(() => limit.abort(), milliseconds);
  return limit.signal;
}
