/** `npm run conformance:page`: makes docs/conformance.md anew. */
import { writeFileSync } from 'node:fs';
import { conformancePage } from './page.ts';

writeFileSync(new URL('../../../docs/conformance.md', import.meta.url), await conformancePage());
