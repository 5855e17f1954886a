/** How V8 is set: for the program as it starts, and for whatever measures it or tests it. */
export const V8_FLAGS = [
  // XState copies a context with Object.assign; beyond some 18 fields V8 would make that a dictionary, ten times as slow to copy.
  '--fast-properties-soft-limit=128',
  // V8 would let a heap of 30 MB grow fourfold before it looks for what is garbage.
  '--heap-growing-percent=50',
] as const;
