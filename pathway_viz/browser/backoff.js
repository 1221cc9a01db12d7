/** How long to wait before connecting again. Pure: chance is given. */

const FIRST_MS = 500;
const LONGEST_MS = 20_000;
const JITTER_MS = 1_500;

/**
 * Exponential backoff with full jitter (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 * @param {number} attempt how many attempts failed before, from 0
 * @param {() => number} random 0 to 1
 * @returns {number} milliseconds
 */
export function backoff(attempt, random) {
  return Math.round(FIRST_MS / 2 + random() * Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt));
}

/** At once, but not all viewers of a node in the same moment. @param {() => number} random */
export function jitter(random) {
  return Math.round(random() * JITTER_MS);
}
