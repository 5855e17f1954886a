/** All checks, in the order in which they run: what may cost the other side's patience comes last. */
import type { Check } from './check.ts';
import { datagramChecks } from './checks/datagrams.ts';
import { extensionChecks } from './checks/extensions.ts';
import { hostileChecks } from './checks/hostile.ts';
import { httpsChecks } from './checks/https.ts';
import { sessionChecks } from './checks/sessions.ts';
import { signatureChecks } from './checks/signatures.ts';
import { traversalChecks } from './checks/traversal.ts';
import { treeChecks } from './checks/trees.ts';

export const checks: readonly Check[] = [
  ...httpsChecks,
  ...datagramChecks,
  ...treeChecks,
  ...signatureChecks,
  ...sessionChecks,
  ...traversalChecks,
  ...extensionChecks,
  ...hostileChecks,
];
