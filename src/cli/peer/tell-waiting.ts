/** What is said on stderr about somebody who does not answer at once. */
import { safeLine } from '../../feed/safe-text.ts';
import type { HomePeer } from '../../local-api/home-peer.ts';
import type { Contact } from '../../peer/peer.ts';
import { formatAddress } from '../../wire/socket-address.ts';
import type { CommandContext } from '../context.ts';

/** A second is long for whoever watches. */
const SILENCE_MS = 1_000;

/** Gives what the work gives; if that takes long, it is said what is waited for. */
export async function tellWaiting<T>(
  { output }: Pick<CommandContext, 'output'>,
  peer: Pick<HomePeer, 'contactWith'>,
  name: string,
  work: Promise<T>,
): Promise<T> {
  const timer = setTimeout(async () => {
    // Whatever keeps it from being known, the work itself tells.
    const waiting = await Promise.resolve(peer.contactWith(name)).then(
      (contact) => waitingLine(contact, name),
      () => undefined,
    );
    if (waiting !== undefined) output.note(waiting);
  }, SILENCE_MS);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}

/** Undefined once there is a session. */
function waitingLine(contact: Contact, name: string): string | undefined {
  const who = safeLine(name);
  switch (contact.status) {
    case 'locating':
      return `waiting for the directory to say where ${who} is …`;
    case 'greeting':
      return `waiting for ${who}: said Hello to ${contact.addresses.map(formatAddress).join(', ')} …`;
    default:
      return undefined;
  }
}
