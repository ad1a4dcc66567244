/** What a number of milliseconds means. Pure. */

/** `over`, `warn` within `warnMs` of the end, else `fine`. */
export function stage(leftMs, warnMs) {
  if (leftMs <= 0) return "over";
  return leftMs <= warnMs ? "warn" : "fine";
}

/** `1:59`: minutes and seconds, rounded up, never below zero. */
export function clock(leftMs) {
  const seconds = Math.max(0, Math.ceil(leftMs / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
