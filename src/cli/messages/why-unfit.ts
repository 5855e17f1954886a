/** Why a text that a person has written cannot be published, said while it can still be mended. */
import { MAX_BODY_BYTES } from '../../wire/node.ts';
import { counted } from '../render/text.ts';

/** What stands where bytes were not UTF-8: it would be published so. */
const REPLACEMENT = '\ufffd';

/** Undefined: it can. */
export function whyUnfit(text: string): string | undefined {
  const tooMany = Buffer.byteLength(text) - MAX_BODY_BYTES;
  if (tooMany > 0) return `${counted(tooMany, 'byte')} too many: a message has at most ${MAX_BODY_BYTES}`;
  if (!text.includes(REPLACEMENT)) return undefined;
  return `each ${REPLACEMENT} stands for bytes that are not UTF-8: write it anew, and check the encoding of the terminal or editor`;
}
