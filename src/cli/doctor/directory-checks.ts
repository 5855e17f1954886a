/** The way to the directory: its certificate, its answers over HTTPS, and over UDP. */
import { randomInt } from 'node:crypto';
import { isIP } from 'node:net';
import { connect, getCACertificates } from 'node:tls';
import { createDirectoryHttp } from '../../peer/directory-http.ts';
import { createUdpNetwork } from '../../runtime/udp-network.ts';
import { type Arrival, appendSignature, decodeDatagram, encodeDatagram } from '../../wire/datagram.ts';
import { formatAddress, isIPv6, type SocketAddress } from '../../wire/socket-address.ts';
import { type CommandContext, type DirectoryAccess, requireDirectory } from '../context.ts';
import type { Identity } from '../open-home.ts';
import { duration } from '../render/text.ts';
import { type Check, type Finding, failed, ok, skipped } from './check.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const DAY_MS = 24 * 60 * 60 * 1000;
const HELLO_SENDS = 4;
const HELLO_PAUSE_MS = 800;

/** Each builds on the ones before: what cannot be checked is said to be skipped. */
export function checkDirectory(context: CommandContext, identity: () => Promise<Identity>): Check[] {
  const isGiven = context.settings.directory !== undefined;
  let isTrusted = false;
  let addresses: readonly SocketAddress[] = [];
  const onlyIf = (condition: () => boolean, why: string, run: () => Promise<Finding>) => async () =>
    condition() ? run() : skipped(why);
  return [
    {
      name: 'certificate',
      run: onlyIf(
        () => isGiven,
        'no directory is given, so none was asked',
        async () => {
          const finding = await checkCertificate(await requireDirectory(context));
          isTrusted = finding.status === 'ok';
          return finding;
        },
      ),
    },
    {
      name: 'directory',
      run: async () => {
        const { directory, ca } = await requireDirectory(context);
        if (!isTrusted) return skipped(`${directory} was not asked, as its certificate could not be checked`);
        addresses = await createDirectoryHttp({ url: directory, ca }).udpAddresses(context.signal);
        return ok(`${directory} answers, and is at ${addresses.map(formatAddress).join(', ')}`);
      },
    },
    {
      name: 'udp',
      run: onlyIf(
        () => addresses.length > 0,
        'no UDP address of a directory is known',
        () => checkUdp(identity, addresses),
      ),
    },
  ];
}

/** Whether the certificate would be believed; looked at first, as a refused connection does not say why. */
async function checkCertificate({ directory, ca }: DirectoryAccess): Promise<Finding> {
  const { hostname, port, host } = new URL(directory);
  const name = hostname.replace(/^\[|\]$/g, '');
  const { promise, resolve, reject } = Promise.withResolvers<Finding>();
  const socket = connect({
    host: name,
    port: Number(port || 443),
    // Looked at below; nothing is sent.
    rejectUnauthorized: false,
    ...(isIP(name) === 0 && { servername: name }),
    ...(ca !== undefined && { ca: [...getCACertificates('default'), ca] }),
  });
  socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy(new Error('it did not answer in time')));
  socket.on('error', reject);
  socket.on('secureConnect', () => {
    const { valid_to } = socket.getPeerCertificate();
    const expiresMs = Date.parse(valid_to);
    if (!socket.authorized) resolve(distrusted(host, String(socket.authorizationError)));
    else if (expiresMs - Date.now() < 7 * DAY_MS) resolve(ok(`trusted, but only until ${valid_to}`, 'have it renewed'));
    else resolve(ok(`trusted, until ${valid_to}`));
  });
  try {
    return await promise;
  } catch (error) {
    const { message } = error as Error;
    return failed(
      'directory-unreachable',
      `no connection with ${host}: ${message}`,
      'check the URL, and that the directory runs',
    );
  } finally {
    socket.destroy();
  }
}

function distrusted(host: string, why: string): Finding {
  const advice =
    'get its certificate from whoever runs it, and give that with --ca FILE; check the clock if it has expired';
  return failed('directory-unreachable', `the certificate of ${host} is not trusted (${why})`, advice);
}

async function checkUdp(identity: () => Promise<Identity>, addresses: readonly SocketAddress[]): Promise<Finding> {
  const hello = await signedHello(await identity());
  const answers = await Promise.all(addresses.map((address) => greet(address, hello)));
  const said = addresses.map((address, i) => {
    const ms = answers[i];
    return `${formatAddress(address)} ${ms === undefined ? 'does not answer' : `answers in ${duration(ms)}`}`;
  });
  if (answers.some((ms) => ms !== undefined)) return ok(said.join(', '));
  return failed(
    'directory-unreachable',
    said.join(', '),
    'let UDP out of your network, or ask whoever runs the directory whether its UDP port is open',
  );
}

interface SignedHello {
  readonly id: number;
  readonly bytes: Uint8Array;
}

/** With the key of this home: the directory ignores a Hello that does not fit the key it knows. */
async function signedHello({ name, keyPair }: Identity): Promise<SignedHello> {
  const id = randomInt(1, 2 ** 32);
  const bytes = encodeDatagram({ type: 'Hello', id, flags: 0, name });
  return { id, bytes: appendSignature(bytes, await keyPair.sign(bytes)) };
}

/** Milliseconds until the first answer; undefined if there is none. */
async function greet(to: SocketAddress, { id, bytes }: SignedHello): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  const startMs = performance.now();
  const onArrivals = (arrivals: readonly Arrival[]) => {
    for (const { bytes: received } of arrivals) {
      const decoded = decodeDatagram(received);
      if (decoded.ok && decoded.value.datagram.id === id) resolve(performance.now() - startMs);
    }
  };
  const bind = { ip: isIPv6(to) ? '::' : '0.0.0.0', port: 0 };
  const socket = await createUdpNetwork()
    .open(bind, onArrivals, () => {})
    .catch(() => undefined);
  if (socket === undefined) return undefined;
  let left = HELLO_SENDS;
  const send = () => {
    if (left-- > 0) socket.send(bytes, to);
    else resolve(undefined);
  };
  send();
  const timer = setInterval(send, HELLO_PAUSE_MS);
  try {
    return await promise;
  } finally {
    clearInterval(timer);
    socket.close();
  }
}
