/** Protocol §9: what hostile input gets. */

import { safeText } from '../../feed/safe-text.ts';
import { hashOf } from '../../wire/hash.ts';
import { BOTH, type Check, PEER, passes, skipped, some } from '../check.ts';
import type { Probe } from '../probe.ts';
import { inSession, staysSilent } from './datagrams.ts';

const MOST_ERROR_BYTES = 64;
const REQUESTS = 12;
const SETTLE_MS = 200;
const PLANTED = new TextEncoder().encode('\x02 a node that nobody asked for');

const errorsIn = (probe: Probe) => probe.heard.flatMap(({ datagram }) => (datagram.type === 'Error' ? [datagram] : []));
const nonsense = (probe: Probe) =>
  probe.send({ type: 'Unknown', id: probe.newId(), code: 99, body: new Uint8Array(0) });

/** Fewer bytes than a header has, and a length that runs past the end. */
function malformedDatagrams(probe: Probe): Uint8Array[] {
  const cut = Array.from({ length: 7 }, (_, length) => new Uint8Array(length).fill(1));
  const long = Array.from({ length: 40 }, () => Uint8Array.of(...idBytes(probe), 0, 0xff, 0xff, 1, 2, 3));
  const badName = Array.from({ length: 20 }, () => Uint8Array.of(...idBytes(probe), 0, 0, 6, 0, 0, 0, 0, 200, 65));
  const badHash = Array.from({ length: 20 }, () => Uint8Array.of(...idBytes(probe), 2, 0, 3, 1, 2, 3));
  return [...cut, ...long, ...badName, ...badHash];
}

function idBytes(probe: Probe): number[] {
  const id = probe.newId();
  return [id >>> 24, (id >>> 16) & 0xff, (id >>> 8) & 0xff, id & 0xff];
}

export const hostileChecks: readonly Check[] = [
  {
    id: 'malformed-dropped',
    section: '9',
    level: 'MUST',
    roles: BOTH,
    rule: 'A malformed datagram is dropped: never a crash, never an answer',
    run: (subject) =>
      staysSilent(subject, ({ probe }) => {
        for (const bytes of malformedDatagrams(probe)) probe.sendBytes(bytes);
      }),
  },
  {
    id: 'error-unanswered',
    section: '9',
    level: 'MUST',
    roles: BOTH,
    rule: 'An Error is never answered',
    run: (subject) =>
      staysSilent(subject, ({ probe }) => probe.send({ type: 'Error', id: probe.newId(), text: 'conformance' })),
  },
  {
    id: 'datum-unasked',
    section: '9',
    level: 'MUST',
    roles: PEER,
    rule: 'A Datum that nobody asked for is dropped',
    run: (subject) =>
      inSession(subject, async ({ probe }) => {
        const hash = hashOf(PLANTED);
        await probe.send({ type: 'Datum', id: probe.newId(), hash, value: PLANTED });
        const answer = await probe.ask({ type: 'GetDatum', hash });
        return passes(
          answer?.datagram.type !== 'Datum',
          answer?.datagram.type === 'Datum' ? 'it serves the node now' : 'dropped',
        );
      }),
  },
  {
    id: 'error-size',
    section: '9',
    level: 'MUST',
    roles: BOTH,
    rule: `An Error has at most ${MOST_ERROR_BYTES} bytes of body`,
    run: (subject) =>
      inSession(subject, async ({ probe }) => {
        const sizes = errorsIn(probe).map(({ text }) => new TextEncoder().encode(text).length);
        if (sizes.length === 0) return skipped('it sends no Error');
        return passes(Math.max(...sizes) <= MOST_ERROR_BYTES, `${some(Math.max(...sizes), 'byte')} at most`);
      }),
  },
  {
    id: 'texts-safe',
    section: '9',
    level: 'SHOULD',
    roles: BOTH,
    rule: 'There are no control or bidirectional characters in its name and its Errors',
    run: (subject) =>
      inSession(subject, async ({ probe, reply }) => {
        const texts = [reply.datagram.name, ...errorsIn(probe).map(({ text }) => text)];
        const unsafe = texts.filter((text) => safeText(text) !== text).length;
        return passes(unsafe === 0, `${unsafe} of ${some(texts.length, 'text')}`);
      }),
  },
  {
    id: 'error-rate',
    section: '9',
    level: 'MUST',
    roles: BOTH,
    rule: 'Errors to one source are limited in number',
    run: (subject) =>
      inSession(subject, async ({ probe }) => {
        const before = errorsIn(probe).length;
        for (let i = 0; i < REQUESTS; i++) await nonsense(probe);
        await probe.wait(SETTLE_MS);
        await subject.isCalm();
        await probe.wait(SETTLE_MS);
        const errors = errorsIn(probe).length - before;
        return passes(errors < REQUESTS, `${some(errors, 'Error')} for ${REQUESTS} requests at once`);
      }),
  },
  {
    id: 'alive-afterwards',
    section: '9',
    level: 'MUST',
    roles: BOTH,
    rule: 'After all that it answers',
    run: (subject) =>
      inSession(subject, async ({ probe }) => {
        const answer = await probe.askHello();
        return passes(answer?.datagram.type === 'HelloReply', `answered with ${answer?.datagram.type ?? 'nothing'}`);
      }),
  },
];
