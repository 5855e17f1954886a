/** What the store is given while its power is cut: the same by the same number, in every process. */
import { messageNode, NOON, type Tree, treeOf } from '../../unit/store/support-trees.ts';

const FEED = 200;
/** So long, that what a feed has lost is worth collecting. */
const LONG = 'word '.repeat(180);

/** Version 0 is empty; of each other three quarters are new. */
export function bodiesOf(version: number): string[] {
  return Array.from({ length: version === 0 ? 0 : FEED }, (_, i) => `${i} of ${i % 4 === 0 ? 'all' : version} ${LONG}`);
}

export function feedOf(version: number): Tree {
  return treeOf(bodiesOf(version).map((body, i) => messageNode(body, NOON + i)));
}
