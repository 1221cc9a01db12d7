/** Thresholds: `critical` below `warning` means that low values are bad. Pure. */

/**
 * @param {number} value
 * @param {{warning?: number | null, critical?: number | null}} options
 * @returns {"normal" | "warning" | "critical"}
 */
export function level(value, { warning = null, critical = null }) {
  const low = warning !== null && critical !== null && critical < warning;
  /** @param {number | null} bound */
  const beyond = (bound) => bound !== null && (low ? value <= bound : value >= bound);
  if (beyond(critical)) return "critical";
  return beyond(warning) ? "warning" : "normal";
}
