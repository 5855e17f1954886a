/** Runs of one scenario under many seeds; the one that fails says how to run it again. */

/** The seeds 1 to `count`, or the one in MURMURE_SEED. */
export function seeds(count: number): number[] {
  const only = process.env.MURMURE_SEED;
  return only === undefined ? Array.from({ length: count }, (_, i) => i + 1) : [Number(only)];
}

export async function underSeeds(count: number, scenario: (seed: number) => Promise<void>): Promise<void> {
  for (const seed of seeds(count)) {
    try {
      await scenario(seed);
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      throw new Error(`seed ${seed} fails; MURMURE_SEED=${seed} runs it alone, identically: ${what}`, { cause: error });
    }
  }
}
