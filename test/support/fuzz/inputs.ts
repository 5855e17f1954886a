/** What foreign bytes and files become before anything believes them: whatever comes in, it is taken or refused, and never breaks. */
import { readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import * as v from 'valibot';
import { openBackup, sealBackup } from '../../../src/cli/home/backup.ts';
import { readConfigFile } from '../../../src/cli/settings/config-file.ts';
import { describeDatagram, describeNode } from '../../../src/feed/describe.ts';
import { safeText } from '../../../src/feed/safe-text.ts';
import { parseKey } from '../../../src/identity/key-file.ts';
import { generateKeyPair } from '../../../src/identity/key-pair.ts';
import { parseJournal } from '../../../src/journal/format.ts';
import { EventLine, Status, WishAnswerSchema, WishSchema } from '../../../src/local-api/schemas.ts';
import {
  readAddresses,
  readChanges,
  readNames,
  readPeer,
  readPeers,
  readServerKey,
} from '../../../src/peer/directory-answers.ts';
import { decodeDatagram, encodeDatagram } from '../../../src/wire/datagram.ts';
import { hashOf } from '../../../src/wire/hash.ts';
import { MurmureError } from '../../../src/wire/murmure-error.ts';
import { decodeNode, encodeMessage } from '../../../src/wire/node.ts';

/** `folder`: for files; `resources`: what is to be closed afterwards. */
export interface Fuzzed {
  readonly name: string;
  readonly property: (
    folder: string,
    resources: AsyncDisposableStack,
  ) => fc.IAsyncProperty<unknown> | fc.IProperty<unknown>;
  /** Of a million inputs, one in so many: those that cost a file, or a key. */
  readonly share: number;
}

export const bytes = (max: number) => fc.uint8Array({ maxLength: max });
const text = (bytesOf: Uint8Array) => new TextDecoder().decode(bytesOf);
export const toBytes = (json: unknown) => new TextEncoder().encode(JSON.stringify(json));

/** JSON that has the members that are looked for, with anything in them. */
export function likely(...members: readonly string[]): fc.Arbitrary<unknown> {
  return fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(null, true, '', 'alice', 0, -1, 1e300, 65_536, '127.0.0.1', '__proto__'),
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.double(),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.oneof(fc.constantFrom(...members), fc.string({ maxLength: 6 })), tie('value'), { maxKeys: 5 }),
    ),
  })).value;
}

/** A text that is valid, with some pieces cut out, repeated and changed. */
export function damaged(valid: string): fc.Arbitrary<string> {
  const damage = fc.tuple(
    fc.nat(),
    fc.nat({ max: 40 }),
    fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom('{', '"', '\n', '0', '\0')),
  );
  return fc.array(damage, { minLength: 1, maxLength: 4 }).map((damages) => {
    let changed = valid;
    for (const [at, length, by] of damages) {
      const start = at % (changed.length + 1);
      changed = changed.slice(0, start) + by + changed.slice(start + length);
    }
    return changed;
  });
}

/** Refused in words that say why. */
async function refuses(work: () => unknown): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof MurmureError && error.code !== 'unexpected') return true;
    throw error;
  }
}

const isDecoded = (result: { readonly ok: boolean }) => typeof result.ok === 'boolean';
const header = fc.tuple(
  bytes(6),
  fc.constantFrom(0, 1, 2, 16, 99, 128, 129, 130, 131, 132, 133, 144, 254, 255),
  bytes(1_400),
);
const framed = header.map(([id, type, body]) => {
  const datagram = new Uint8Array(7 + body.length);
  datagram.set(id.subarray(0, 4));
  datagram.set([type, body.length >> 8, body.length & 255], 4);
  datagram.set(body, 7);
  return datagram;
});

const journal = readFileSync(new URL('../../replay/first-sync.jsonl', import.meta.url), 'utf8').slice(0, 4_000);
const keyPair = await generateKeyPair();
const pem = keyPair.toPem();
const config = 'directory = "https://directory.example"\ntimeout = 30\nnotify = ["true"]\nquota = 5\n';
const leaf = encodeMessage({ date: 1, inReplyTo: null, body: 'kept' });
const backup = await sealBackup(
  {
    name: 'alice',
    publicKey: keyPair.publicKey,
    key: pem,
    savedAt: '2026-01-01T00:00:00Z',
    root: hashOf(leaf),
    leaves: [Buffer.from(leaf).toString('base64')],
    peers: [],
  },
  keyPair,
);
const noPrompts = { settings: {}, prompts: {} } as never;

export const FUZZED: readonly Fuzzed[] = [
  {
    name: 'any bytes as a datagram',
    property: () => fc.property(bytes(1_500), (input) => isDecoded(decodeDatagram(input))),
    share: 1,
  },
  {
    name: 'a datagram of any type with any body, GetNodes and Nodes among them',
    property: () =>
      fc.asyncProperty(framed, async (input) => {
        const decoded = decodeDatagram(input);
        if (!decoded.ok) return;
        const { datagram, signature, signed } = decoded.value;
        const again = decodeDatagram(encodeDatagram(datagram));
        if (!again.ok || signed.length > input.length) throw new Error('what was taken cannot be said again');
        if (signature !== undefined && signature.length !== 64) throw new Error('a signature of another size');
        await describeDatagram(input);
      }),
    share: 1,
  },
  {
    name: 'any bytes as a node',
    property: () =>
      fc.property(fc.nat({ max: 3 }), bytes(1_200), (type, rest) => {
        const input = Uint8Array.of(type, ...rest);
        const decoded = decodeNode(input);
        if (decoded.ok && decoded.value.kind === 'internal' && decoded.value.children.length > 32)
          throw new Error('too many');
        describeNode(input);
      }),
    share: 1,
  },
  {
    name: 'any text on its way to a terminal',
    property: () =>
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (input) => {
        const safe = safeText(input);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
        return !/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/u.test(safe) && safeText(safe) === safe;
      }),
    share: 1,
  },
  {
    name: 'what a directory answers over HTTPS',
    property: () =>
      fc.property(
        fc.oneof(
          likely('name', 'username', 'key', 'addresses', 'ip', 'port', 'peers', 'cursor', 'removed').map(toBytes),
          bytes(400),
        ),
        (input) =>
          [readAddresses, readPeers, readChanges, readNames, readServerKey].every((read) => isDecoded(read(input))) &&
          isDecoded(readPeer(input, 'alice')),
      ),
    share: 1,
  },
  {
    name: 'what comes over the local API',
    property: () =>
      fc.property(likely('type', 'name', 'text', 'ticket', 'following', 'hash', 'beat', 'fact', 'error'), (input) => {
        for (const schema of [WishSchema, WishAnswerSchema, EventLine, Status]) v.safeParse(schema, input);
      }),
    share: 4,
  },
  {
    name: 'a damaged journal',
    property: () => fc.asyncProperty(damaged(journal), (input) => refuses(() => parseJournal('it', input.split('\n')))),
    share: 20,
  },
  {
    name: 'a damaged key file',
    property: () =>
      fc.asyncProperty(fc.oneof(damaged(pem), bytes(300).map(text)), (input) => refuses(() => parseKey(input, 'it'))),
    share: 20,
  },
  {
    name: 'a damaged configuration',
    property: (folder) =>
      fc.asyncProperty(fc.oneof(damaged(config), fc.string({ maxLength: 80 })), async (input) => {
        writeFileSync(`${folder}/config.toml`, input);
        return refuses(() => readConfigFile(`${folder}/config.toml`));
      }),
    share: 50,
  },
  {
    name: 'a damaged backup',
    property: () =>
      fc.asyncProperty(
        fc.oneof(
          damaged(backup),
          likely('format', 'version', 'content', 'signature', 'key').map((it) => JSON.stringify(it)),
        ),
        (input) => refuses(() => openBackup(input, 'it', noPrompts)),
      ),
    share: 20,
  },
];
