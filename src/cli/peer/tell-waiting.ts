/** What is said on stderr about somebody who does not answer at once. */
import { safeLine } from '../../feed/safe-text.ts';
import type { HomePeer } from '../../local-api/home-peer.ts';
import type { Contact } from '../../peer/peer.ts';
import { formatAddress } from '../../wire/socket-address.ts';
import type { CommandContext } from '../context.ts';

/** A second is long for whoever watches. */
const SILENCE_MS = 1_000;

/** Gives what the work gives; if that takes long, it is said what is waited for, and again when that changes. */
export async function tellWaiting<T>(
  { output }: Pick<CommandContext, 'output'>,
  peer: Pick<HomePeer, 'contactWith' | 'syncUnderWay'>,
  name: string,
  work: Promise<T>,
): Promise<T> {
  let told: string | undefined;
  let isOver = false;
  let timer: NodeJS.Timeout;
  const tell = async () => {
    // Whatever keeps it from being known, the work itself tells.
    const [contact, download] = await Promise.all([peer.contactWith(name), peer.syncUnderWay(name)]).catch(() => []);
    if (isOver) return;
    // Whatever arrives is not waited for.
    const waiting = contact && !download?.nodesFetched ? waitingLine(contact, name) : undefined;
    if (waiting !== undefined && waiting !== told) output.note(waiting);
    told = waiting ?? told;
    timer = setTimeout(tell, SILENCE_MS);
  };
  timer = setTimeout(tell, SILENCE_MS);
  try {
    return await work;
  } finally {
    isOver = true;
    clearTimeout(timer);
  }
}

function waitingLine(contact: Contact, name: string): string | undefined {
  const who = safeLine(name);
  const where = contact.addresses.map(formatAddress).join(', ');
  switch (contact.status) {
    case 'locating':
      return `waiting for the directory to say where ${who} is …`;
    case 'greeting':
      return `waiting for ${who}: said Hello to ${where} …`;
    case 'established':
      return `waiting for ${who} at ${where} to answer …`;
    case 'none':
      return undefined;
  }
}
