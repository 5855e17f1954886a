/** Imported first by the library: an older Node.js says what is needed, rather than what it misses. */
import { whyNotThisNode } from './needed-node.ts';

if (whyNotThisNode !== undefined) throw new Error(whyNotThisNode);
