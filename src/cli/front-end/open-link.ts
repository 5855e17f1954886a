/** Opens a web address in a message, once the person has seen all of it. */

import type { Failure } from '../../../machines/events.ts';
import type { Notice } from '../../../machines/front-end-context.ts';
import { withLinks } from '../../feed/links.ts';
import { safeText } from '../../feed/safe-text.ts';
import type { Hash } from '../../wire/hash.ts';
import { failureFrom, MurmureError } from '../../wire/murmure-error.ts';
import { CancelledError, type Dialogue } from './dialogue.ts';
import type { ReadStore } from './sources.ts';

export type OpenAddress = (href: string) => Promise<void>;

type Opened =
  | { readonly type: 'work.done'; readonly notice: Notice }
  | { readonly type: 'work.failed'; readonly failure: Failure };

interface OpenLinkOptions {
  readonly store: Pick<ReadStore, 'message'>;
  readonly dialogue: Pick<Dialogue, 'choose' | 'confirm' | 'show'>;
  readonly open: OpenAddress;
}

/** @throws CancelledError */
export async function openLinkIn(hash: Hash, { store, dialogue, open }: OpenLinkOptions): Promise<Opened> {
  const pieces = withLinks(safeText(store.message(hash)?.body ?? ''));
  const links = new Set(pieces.flatMap((piece) => (piece.kind === 'link' ? [piece.href] : [])));
  const [first, ...others] = links;
  if (first === undefined) return failed(new MurmureError('usage', 'there is no web address in this message'));
  const options = [...links].map((value) => ({ value, label: value }));
  const href = others.length === 0 ? first : await dialogue.choose('Which address?', options);
  dialogue.show(`${href}\n\n`);
  if (!(await dialogue.confirm('Open this address in your browser?'))) throw new CancelledError({ isExit: false });
  try {
    await open(href);
    return { type: 'work.done', notice: { type: 'link.opened', href } };
  } catch (error) {
    return failed(error);
  }
}

function failed(error: unknown): Opened {
  return { type: 'work.failed', failure: failureFrom(error) };
}
