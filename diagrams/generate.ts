/** Writes the diagrams of all machines into this folder: `npm run diagrams`. */
import { writeDiagrams } from '../src/diagrams/generate.ts';

await writeDiagrams(import.meta.dirname);
