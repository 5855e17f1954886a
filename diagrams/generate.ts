/** Writes the diagrams of all machines into this folder: `npm run diagrams`. */
import { writeDiagrams } from './draw/write-diagrams.ts';

await writeDiagrams(import.meta.dirname);
