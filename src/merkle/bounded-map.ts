/**
 * Room in a Map that is full, for what comes: those that were set first go, a sixteenth of them at a time. Taking out one at a time would
 * cost more with every one, since a Map looks for its first entry among all that were taken out before.
 */
export function dropOldest(map: Map<unknown, unknown>, limit: number): void {
  if (map.size <= limit) return;
  let left = Math.ceil(limit / 16);
  for (const key of map.keys()) {
    if (left === 0) return;
    map.delete(key);
    left -= 1;
  }
}
