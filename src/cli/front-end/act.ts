/** What is done without asking the peer to change anything. */
import type { Action, Notice } from '../../../machines/front-end-context.ts';
import { WrongPassphraseError } from '../../identity/encrypted-pem.ts';
import { MurmureError } from '../../wire/murmure-error.ts';
import { CancelledError, type Dialogue } from './dialogue.ts';
import type { Sources, Unlocking } from './sources.ts';

/** Opens the settings in the person's editor; undefined where there is no file. */
export type EditSettings = (() => Promise<void>) | undefined;

export interface Acting {
  readonly editSettings: EditSettings;
  readonly unlocking: Unlocking | undefined;
  readonly dialogue: Pick<Dialogue, 'secret' | 'show'>;
}

/** The notice that it ends with. @throws MurmureError */
export async function act(
  action: Action,
  subject: string,
  { live }: Pick<Sources, 'live'>,
  { editSettings, unlocking, dialogue }: Acting,
): Promise<Notice | undefined> {
  switch (action) {
    case 'addresses': {
      const listed = (await live.list()).find(({ name }) => name === subject);
      if (listed === undefined) throw new MurmureError('peer-unknown', `the directory lists no "${subject}" now`);
      return { type: 'addresses.found', name: subject, addresses: listed.addresses };
    }
    case 'toggle-dates':
      live.showsExactDates = !live.showsExactDates;
      live.changed();
      return undefined;
    case 'toggle-muted':
      live.showsMuted = !live.showsMuted;
      live.changed();
      return undefined;
    case 'edit-settings':
      if (editSettings === undefined) throw new MurmureError('usage', 'there is no settings file here');
      await editSettings();
      return { type: 'settings.edited' };
    case 'unlock':
      return unlocking?.isNeeded ? unlock(unlocking, dialogue) : undefined;
    default:
      throw new Error(`"${action}" is nothing to be done here`);
  }
}

/** Until the passphrase is right, or the person goes on without it. */
async function unlock(unlocking: Unlocking, { secret, show }: Acting['dialogue']): Promise<Notice | undefined> {
  for (;;) {
    try {
      await unlocking.unlock(await secret('Passphrase of the key (Esc goes on reading offline):'));
      return { type: 'key.opened' };
    } catch (error) {
      if (error instanceof CancelledError) return undefined;
      if (!(error instanceof WrongPassphraseError)) throw error;
      show('This passphrase does not open the key.\n\n');
    }
  }
}

/** Whom there is to choose from for an action, by name. @throws MurmureError if neither the store nor the directory knows anybody */
export async function namesFor(
  action: Action,
  { peer, store, live }: Pick<Sources, 'peer' | 'store' | 'live'>,
): Promise<string[]> {
  const known = store.peers().filter(({ name }) => name !== peer.name);
  const followed = known.filter(({ following }) => following).map(({ name }) => name);
  if (action === 'unfollow' || action === 'sync-all') return followed.sort();
  // Trees and messages can be looked at offline, too.
  const listed = await live.list().catch((error: unknown) => {
    if (known.length === 0) throw error;
    return live.listed ?? [];
  });
  const names = new Set([...known, ...listed].map(({ name }) => name));
  names.delete(peer.name);
  if (action === 'follow') for (const name of followed) names.delete(name);
  return [...names].sort();
}
