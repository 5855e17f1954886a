import { defineConfig } from 'vitest/config';

const project = (name: string, folders: string[], extra: object = {}) => ({
  test: { name, include: folders.map((folder) => `test/${folder}/**/*.test.ts`), ...extra },
});

const setupFiles = ['test/support/no-warnings.ts'];

export default defineConfig({
  test: {
    projects: [
      project('unit', ['unit', 'machines', 'property', 'replay'], { testTimeout: 60_000 }),
      project('simulation', ['simulation'], { testTimeout: 120_000, setupFiles }),
      project('e2e', ['e2e', 'interop'], { testTimeout: 60_000, hookTimeout: 60_000, fileParallelism: false }),
      project('long', ['long'], { testTimeout: 1_200_000, setupFiles }),
    ],
  },
});
