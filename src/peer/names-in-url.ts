/** How many names one request to a directory asks about (protocol §3). */

const MAX_NAMES = 100;
/** Percent-encoded: HTTP servers take about 16 KiB of headers, some only 8. */
const MAX_NAME_CHARACTERS = 6_000;

/** That many of the first names fit in one URL; at least one, if there is any. */
export function fitting(names: Iterable<string>): number {
  let characters = 0;
  let count = 0;
  for (const name of names) {
    characters += encodeURIComponent(name).length;
    if (count === MAX_NAMES || (count > 0 && characters > MAX_NAME_CHARACTERS)) break;
    count += 1;
  }
  return count;
}
