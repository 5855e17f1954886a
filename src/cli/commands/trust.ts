/** `murmure trust`: accepts the key that a peer has now, and, if the person says so, its Roots without a signature. A running `serve` notices. */
import type { Command } from 'commander';
import { safeLine } from '../../feed/safe-text.ts';
import { fingerprint } from '../../identity/fingerprint.ts';
import type { PublicKey } from '../../identity/public-key.ts';
import type { Store } from '../../store/store.ts';
import { abortable } from '../abortable.ts';
import { examples, type Run } from '../command.ts';
import { type CommandContext, requireDirectory } from '../context.ts';
import { UsageError } from '../errors.ts';
import { openStore } from '../home/open-home.ts';
import { requireNoList } from '../input/peer-lists.ts';
import { requireAskableName } from '../input/validate.ts';
import { describeChange, type KeyChange, keyOf } from '../messages/trusting.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('trust')
    .summary('accept the new key of a peer')
    .description(
      'Shows the fingerprint of the key that you know for this peer, and of the one that the directory hands out now, and accepts the new one if you confirm it. First ask the peer, over another channel, whether the new fingerprint is right.',
    )
    .argument('<peer>', 'whose key to accept')
    .option('--unsigned', 'also accept its roots without a signature, as long as it has this key')
    .option('--yes', 'do not ask')
    .addHelpText('after', examples('trust alice', 'trust alice --unsigned', 'trust alice --yes --json'))
    .action((name: string, options: TrustOptions) => run((context) => trust(context, name, options)));
}

export interface TrustOptions {
  readonly unsigned?: boolean;
  readonly yes?: boolean;
}

export async function trust(context: CommandContext, name: string, options: TrustOptions): Promise<void> {
  const { settings, output, nowMs } = context;
  const { unsigned = false } = options;
  requireAskableName(name);
  const { name: ownName, store: opened } = await openStore(settings.home);
  using store = opened;
  if (name === ownName) throw new UsageError(`"${name}" is yourself: your own key is trusted anyway`);
  requireNoList(store, name);
  const key = await keyNow(context, name);
  const pinned = store.peer(name)?.key;
  const isUnsigned = store.trustsUnsigned(name, key);
  const before = pinned === undefined ? null : fingerprint(pinned);
  const isNew = pinned !== key || (unsigned && !isUnsigned);
  if (isNew && !(await isConfirmed(context, name, { key, pinned, unsigned }, options))) {
    return output.note('Nothing was changed.');
  }
  if (isNew) accept(store, name, { key, unsigned }, nowMs());
  output.data({ peer: name, fingerprint: fingerprint(key), before }, (paint) => {
    const who = paint('bold', safeLine(name));
    const known = isNew ? 'is now known by' : 'was already known by';
    const roots = unsigned || isUnsigned ? '; its roots are believed without a signature' : '';
    return `${who} ${known} the key ${paint('cyan', fingerprint(key))}${roots}`;
  });
}

/** The key that the directory hands out now. */
async function keyNow(context: CommandContext, name: string): Promise<PublicKey> {
  const { directory, ca } = await requireDirectory(context);
  const { createDirectoryHttp } = await import('../../peer/directory-http.ts');
  using progress = context.output.progress();
  progress.tell(`asking the directory for the key of ${name}`);
  const listed = await abortable(
    createDirectoryHttp({ url: directory, ca }).peer(name, context.signal),
    context.signal,
  );
  return keyOf(name, listed);
}

/** Both fingerprints are shown in any case: on a terminal as part of the question. */
async function isConfirmed(
  { prompts, output }: CommandContext,
  name: string,
  change: KeyChange,
  { yes = false }: TrustOptions,
): Promise<boolean> {
  const lines = describeChange(name, change);
  if (yes) {
    for (const line of lines) output.note(line);
    return true;
  }
  if (prompts === undefined) {
    throw new UsageError(`${lines.join(' ')} This needs a confirmation, and there is no terminal to ask at: add --yes`);
  }
  return prompts.confirm([...lines, `Trust ${safeLine(name)} from now on?`].join('\n'));
}

function accept(
  store: Store,
  name: string,
  { key, unsigned }: Pick<KeyChange, 'key' | 'unsigned'>,
  nowMs: number,
): void {
  store.repinKey(name, key, nowMs);
  if (unsigned) store.setTrustUnsigned(name, key, true);
}
