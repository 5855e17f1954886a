/** Protocol §3: the directory over HTTPS. */
import { generateKeyPair } from '../../identity/key-pair.ts';
import { publicKeyFromBytes } from '../../identity/public-key.ts';
import { type Check, DIRECTORY, passes, skipped, type Verdict } from '../check.ts';
import { type Https, type HttpsRequest, newName, type Subject } from '../subject.ts';

function overHttps(subject: Subject, work: (https: Https) => Promise<Verdict>): Promise<Verdict> {
  const { https } = subject.options;
  return https === undefined ? Promise.resolve(skipped('its HTTPS side is not known')) : work(https);
}

async function newKey(): Promise<string> {
  return (await generateKeyPair()).publicKey;
}

const registering = (body: unknown): HttpsRequest => ({
  method: 'POST',
  body: JSON.stringify(body),
  contentType: 'application/json',
});

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const areAddresses = (value: unknown): value is { ip: string; port: number }[] =>
  Array.isArray(value) && value.every((entry) => typeof entry?.ip === 'string' && Number.isInteger(entry?.port));

const isIPv4First = (addresses: readonly { ip: string }[]) =>
  addresses.every(({ ip }, i) => i === 0 || ip.includes(':') || !(addresses[i - 1]?.ip.includes(':') ?? false));

/** A registration in a form that is to be accepted. */
function accepts(id: string, rule: string, request: () => Promise<HttpsRequest>): Check {
  return {
    id,
    section: '3',
    level: 'MUST',
    roles: DIRECTORY,
    rule,
    run: (subject) =>
      overHttps(subject, async (https) => {
        const { status, text } = await https('/register', await request());
        return passes(status === 204 && text === '', `answered with ${status}${text === '' ? '' : ' and a text'}`);
      }),
  };
}

function refuses(
  id: string,
  rule: string,
  bodies: () => Promise<readonly unknown[]>,
  level: Check['level'] = 'MUST',
): Check {
  return {
    id,
    section: '3',
    level,
    roles: DIRECTORY,
    rule,
    run: (subject) =>
      overHttps(subject, async (https) => {
        const seen: number[] = [];
        for (const body of await bodies()) seen.push((await https('/register', registering(body))).status);
        return passes(
          seen.every((status) => status === 400),
          `answered with ${seen.join(', ')}`,
        );
      }),
  };
}

/** The lines of the list, and whether it ends as it should. */
async function namesOf(https: Https, path: string) {
  const { status, text } = await https(path);
  return { status, text, names: text.split('\n').slice(0, -1) };
}

const isInByteOrder = (names: readonly string[]) =>
  names.every((name, i) => i === 0 || Buffer.compare(Buffer.from(names[i - 1] as string), Buffer.from(name)) < 0);

export const httpsChecks: readonly Check[] = [
  {
    id: 'udp-address',
    section: '3',
    level: 'MUST',
    roles: DIRECTORY,
    rule: 'GET /udp-address: 200, JSON, a list of addresses, IPv4 first',
    run: (subject) =>
      overHttps(subject, async (https) => {
        const { status, text } = await https('/udp-address');
        const addresses = parsed(text);
        return passes(
          status === 200 && areAddresses(addresses) && addresses.length > 0 && isIPv4First(addresses),
          `answered with ${status}`,
        );
      }),
  },
  {
    id: 'server-key',
    section: '3',
    level: 'MUST',
    roles: DIRECTORY,
    rule: 'GET /server-key: 200 and 64 raw bytes, or 404',
    run: (subject) =>
      overHttps(subject, async (https) => {
        const { status, bytes } = await https('/server-key');
        return passes(
          status === 404 || (status === 200 && publicKeyFromBytes(bytes).ok),
          `answered with ${status} and ${bytes.length} bytes`,
        );
      }),
  },
  accepts('register', 'POST /register with name and key: 204, empty', async () =>
    registering({ name: newName(), key: await newKey() }),
  ),
  accepts('register-without-key', 'The key is optional', async () => registering({ name: newName() })),
  accepts('register-empty-key', 'An empty key is none', async () => registering({ name: newName(), key: '' })),
  accepts('register-null-key', 'A key that is null is none', async () => registering({ name: newName(), key: null })),
  accepts('register-padded-key', 'A key may be padded', async () =>
    registering({ name: newName(), key: `${await newKey()}==` }),
  ),
  accepts('register-letter-case', 'The names of members may be written in any letter case', async () =>
    registering({ NAME: newName(), Key: await newKey() }),
  ),
  accepts('register-username', 'The member may be called username', async () =>
    registering({ username: newName(), key: await newKey() }),
  ),
  accepts('register-without-type', 'The Content-Type may be missing', async () => ({
    method: 'POST',
    body: JSON.stringify({ name: newName(), key: await newKey() }),
  })),
  refuses('bad-name', 'A name that is empty, too long, or contains "/" or control characters: 400', async () =>
    ['', 'x'.repeat(256), `${newName()}/a`, `${newName()}\n`, `${newName()}\u0007`, `${newName()}\ud800`].map(
      (name) => ({ name }),
    ),
  ),
  refuses('bad-key', 'A malformed key: 400', async () =>
    ['short', 'A'.repeat(86), '!'.repeat(86)].map((key) => ({ name: newName(), key })),
  ),
  refuses('bad-body', 'What is no registration: 400', async () => [{}, [], 'name', 7]),
  refuses(
    'look-alike-name',
    'A name that looks like another one is refused: white space at its ends, invisible characters, not in NFC',
    async () =>
      [` ${newName()}`, `${newName()} `, `${newName()}\u200b`, `${newName()}\u202e`, `${newName()}e\u0301`].map(
        (name) => ({ name }),
      ),
    'SHOULD',
  ),
  {
    id: 'unproven-invisible',
    section: '3',
    level: 'MUST',
    roles: DIRECTORY,
    rule: 'Registering alone makes nobody visible',
    run: (subject) =>
      overHttps(subject, async (https) => {
        const name = newName();
        await https('/register', registering({ name, key: await newKey() }));
        const { status } = await https(`/peers/${encodeURIComponent(name)}`);
        const { names } = await namesOf(https, '/peers/');
        return passes(status === 404 && !names.includes(name), `answered with ${status}`);
      }),
  },
  {
    id: 'listed-when-proven',
    section: '3',
    level: 'MUST',
    roles: DIRECTORY,
    rule: 'A peer is listed once an address is proven: with its name, addresses and key',
    run: (subject) =>
      overHttps(subject, async (https) => {
        if (!(await subject.listed())) return passes(false, 'registered, its Hello answered, and not listed');
        const { name, keyPair } = subject.options;
        const { status, text } = await https(`/peers/${encodeURIComponent(name)}`);
        const peer = parsed(text) as
          | { name?: unknown; username?: unknown; key?: unknown; addresses?: unknown }
          | undefined;
        const isRight =
          status === 200 &&
          [peer?.name, peer?.username].includes(name) &&
          peer?.key === keyPair.publicKey &&
          areAddresses(peer.addresses) &&
          peer.addresses.length > 0;
        return passes(isRight, `answered with ${status}${isRight ? '' : `: ${text}`}`);
      }),
  },
  {
    id: 'peers-list',
    section: '3',
    level: 'MUST',
    roles: DIRECTORY,
    rule: 'GET /peers/ and GET /peers: 200, one name a line in byte order, a newline after the last',
    run: (subject) =>
      overHttps(subject, async (https) => {
        await subject.listed();
        const lists = [await namesOf(https, '/peers/'), await namesOf(https, '/peers')];
        const areRight = lists.every(
          ({ status, text, names }) =>
            status === 200 &&
            (text === '' || text.endsWith('\n')) &&
            isInByteOrder(names) &&
            names.includes(subject.options.name),
        );
        return passes(
          areRight,
          `${lists.map(({ status, names }) => `${status} with ${names.length} names`).join(', ')}`,
        );
      }),
  },
  {
    id: 'unknown-peer',
    section: '3',
    level: 'MUST',
    roles: DIRECTORY,
    rule: 'GET /peers/NAME of a name that is not known: 404',
    run: (subject) =>
      overHttps(subject, async (https) => {
        const { status } = await https(`/peers/${newName()}`);
        return passes(status === 404, `answered with ${status}`);
      }),
  },
  {
    id: 'percent-encoding',
    section: '3',
    level: 'MUST',
    roles: DIRECTORY,
    rule: 'NAME in a path is percent-encoded',
    run: (subject) =>
      overHttps(subject, async (https) => {
        if (!(await subject.listed())) return skipped('nobody can be listed');
        const encoded = Array.from(
          Buffer.from(subject.options.name),
          (byte) => `%${byte.toString(16).padStart(2, '0')}`,
        ).join('');
        const { status } = await https(`/peers/${encoded}`);
        return passes(status === 200, `answered with ${status}`);
      }),
  },
  {
    id: 'name-bound',
    section: '3',
    level: 'MUST',
    roles: DIRECTORY,
    rule: 'A name that is bound to another key: 400 with the text "add peer:bad key"',
    run: (subject) =>
      overHttps(subject, async (https) => {
        if (!(await subject.listed())) return skipped('nobody can be listed');
        const { name } = subject.options;
        const { status, text } = await https('/register', registering({ name, key: await newKey() }));
        return passes(
          status === 400 && text.includes('add peer:bad key'),
          `answered with ${status}: ${text.slice(0, 60)}`,
        );
      }),
  },
  {
    id: 'unproven-blocks-nobody',
    section: '3',
    level: 'MUST',
    roles: DIRECTORY,
    rule: 'A registration that is not proven does not block the name for others',
    run: (subject) =>
      overHttps(subject, async (https) => {
        const name = newName();
        await https('/register', registering({ name, key: await newKey() }));
        const { status } = await https('/register', registering({ name, key: await newKey() }));
        return passes(status === 204, `answered with ${status}`);
      }),
  },
];
