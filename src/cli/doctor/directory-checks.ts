/** The way to the directory: its certificate, its answers over HTTPS, its clock, and its answers over UDP. */
import { randomInt } from 'node:crypto';
import { isCertificateProblem } from '../../peer/directory-failure.ts';
import { createDirectoryHttp, type DirectoryHttpClient } from '../../peer/directory-http.ts';
import { createUdpNetwork } from '../../runtime/udp-network.ts';
import { type Arrival, appendSignature, decodeDatagram, encodeDatagram } from '../../wire/datagram.ts';
import { formatAddress, isIPv6, type SocketAddress } from '../../wire/socket-address.ts';
import { type CommandContext, requireDirectory } from '../context.ts';
import type { Identity } from '../home/open-home.ts';
import { duration } from '../render/text.ts';
import { type Check, type Finding, failed, ok, skipped } from './check.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Of the directory's date, which counts whole seconds and was on its way for a while. */
const CLOCK_TOLERANCE_MS = 60_000;
const HELLO_SENDS = 4;
const HELLO_PAUSE_MS = 800;

/** The directory is asked once; each check looks at what came of it. */
export function checkDirectory(context: CommandContext, identity: () => Promise<Identity>): Check[] {
  let asked: Promise<Asked> | undefined;
  const ask = () => {
    asked ??= askDirectory(context);
    return asked;
  };
  /** Skipped, unless a directory is given. */
  const given = (run: (asked: Asked) => Finding | Promise<Finding>) => async () =>
    context.settings.directory === undefined ? skipped('no directory is given, so none was asked') : run(await ask());
  return [
    { name: 'certificate', run: given(checkCertificate) },
    {
      name: 'directory',
      // That none is given is said here.
      run: async () => checkAnswer(await ask()),
    },
    { name: 'clock', run: given(({ http }) => checkClock(http, context.nowMs())) },
    {
      name: 'udp',
      run: given(({ addresses }) =>
        addresses.length === 0 ? skipped('no UDP address of a directory is known') : checkUdp(identity, addresses),
      ),
    },
  ];
}

interface Asked {
  readonly url: string;
  readonly http: DirectoryHttpClient;
  /** None if it could not be asked. */
  readonly addresses: readonly SocketAddress[];
  readonly error: unknown;
}

/** @throws MurmureError for settings that name no directory */
async function askDirectory(context: CommandContext): Promise<Asked> {
  const { directory: url, ca } = await requireDirectory(context);
  const http = createDirectoryHttp({ url, ca });
  try {
    return { url, http, addresses: await http.udpAddresses(context.signal), error: undefined };
  } catch (error) {
    return { url, http, addresses: [], error };
  }
}

function checkCertificate({ url, http, error }: Asked): Finding {
  if (isCertificateProblem(error)) throw error;
  const { certificateExpiresMs: expiresMs } = http;
  if (expiresMs === undefined) return skipped(`${url} showed no certificate`);
  const until = new Date(expiresMs).toISOString();
  if (expiresMs - Date.now() < 7 * DAY_MS) return ok(`trusted, but only until ${until}`, 'have it renewed');
  return ok(`trusted, until ${until}`);
}

function checkAnswer({ url, addresses, error }: Asked): Finding {
  if (isCertificateProblem(error)) return skipped(`${url} was not asked, as its certificate is not trusted`);
  if (error !== undefined) throw error;
  return ok(`${url} answers, and is at ${addresses.map(formatAddress).join(', ')}`);
}

/** Messages carry the date of this clock, and certificates are judged by it. */
function checkClock({ clockOffsetMs: offsetMs }: DirectoryHttpClient, nowMs: number): Finding {
  const now = new Date(nowMs).toISOString();
  if (offsetMs === undefined) return skipped(`the directory told no time to compare with; this clock says ${now}`);
  if (Math.abs(offsetMs) < CLOCK_TOLERANCE_MS) return ok(`this clock and the directory's agree: ${now}`);
  const detail = `this clock says ${now}, the directory's ${new Date(nowMs + offsetMs).toISOString()}`;
  return failed(
    'unexpected',
    detail,
    'set the clock of this computer, or tell whoever runs the directory if it is right',
  );
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
