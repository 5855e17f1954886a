/**
 * Makes room in a full Map: the oldest entries are removed, a sixteenth of them at a time. Removing one at a time would become slower
 * and slower, because a Map looks for its first entry behind all that were removed before.
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
