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
  peer: Pick<HomePeer, 'contactWith'>,
  name: string,
  work: Promise<T>,
): Promise<T> {
  let told: string | undefined;
  const timer = setInterval(async () => {
    // Whatever keeps it from being known, the work itself tells.
    const contact = await Promise.resolve(peer.contactWith(name)).catch(() => undefined);
    const waiting = contact && waitingLine(contact, name);
    if (waiting === undefined || waiting === told || isOver) return;
    told = waiting;
    output.note(waiting);
  }, SILENCE_MS);
  let isOver = false;
  try {
    return await work;
  } finally {
    isOver = true;
    clearInterval(timer);
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
