/** Why a directory could not be asked, in one sentence: what happened, at which URL, and what to do. */
import type { PeerCertificate } from 'node:tls';
import { safeLine } from '../feed/safe-text.ts';
import { MurmureError } from '../wire/murmure-error.ts';

interface Reason {
  readonly codes: RegExp;
  readonly what: string;
  readonly todo: string | ((cause: unknown) => string);
}

/** Nobody who is trusted vouches for its certificate. */
const UNTRUSTED =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|CERT_UNTRUSTED|CERT_SIGNATURE_FAILURE|INVALID_CA)$/;

/** A connection that was open is closed. */
const CONNECTION_LOST = /^(ECONNRESET|EPIPE|ECONNABORTED|UND_ERR_SOCKET)$/;

/** Codes of the system, of TLS and of the HTTP client (names of errors that have none), by what a user can do about them. */
const REASONS: readonly Reason[] = [
  {
    codes: /^ECONNREFUSED$/,
    what: 'the connection was refused',
    todo: 'check the URL, and that the directory runs',
  },
  {
    codes: /^(ENOTFOUND|EAI_\w+)$/,
    what: 'its host name cannot be resolved',
    todo: 'check the spelling of the URL, and your network connection',
  },
  {
    codes: /^(ENETUNREACH|EHOSTUNREACH|ENETDOWN|EHOSTDOWN|EADDRNOTAVAIL)$/,
    what: 'there is no way to its network',
    todo: 'check your network connection',
  },
  {
    codes: /^(ETIMEDOUT|UND_ERR_\w*TIMEOUT)$/,
    what: 'it timed out',
    todo: 'check the URL and your network connection, or try again later',
  },
  {
    codes: UNTRUSTED,
    what: 'its certificate is not trusted',
    todo: 'if you trust it, pass its certificate with --ca',
  },
  {
    codes: /^CERT_HAS_EXPIRED$/,
    what: 'its certificate has expired',
    todo: () => `${checkClock()}, or ask whoever runs the directory to renew it`,
  },
  {
    codes: /^CERT_NOT_YET_VALID$/,
    what: 'its certificate is not valid yet',
    todo: checkClock,
  },
  {
    codes: /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    what: 'its certificate is for another host name',
    todo: (cause) => `use a host name that it was made for${hostNamesIn(cause)}`,
  },
  {
    codes: /^(EPROTO|ERR_SSL_\w+|ERR_TLS_\w+)$/,
    what: 'it does not speak TLS as expected',
    todo: 'check that the URL leads to an https: port',
  },
  {
    codes: /^(HPE_\w+|HTTPParserError|UND_ERR_(HEADERS_OVERFLOW|RES_\w+))$/,
    what: 'it does not speak HTTP as expected',
    todo: 'check that the URL leads to a murmure directory',
  },
  {
    codes: CONNECTION_LOST,
    what: 'it closed the connection',
    todo: 'check the URL, or try again later',
  },
];

/** As undici says it. */
const PROXY_REFUSAL = /^Proxy response \((\d+)\)/;

function refusedByProxy(url: string, proxy: string, status: string, cause: unknown): MurmureError {
  const what = `the proxy ${proxy}, which HTTPS_PROXY names, refused the connection with status ${status}`;
  const todo =
    status === '407'
      ? 'put the user name and the password that it wants into HTTPS_PROXY, as http://USER:PASSWORD@HOST:PORT'
      : 'ask whoever runs the proxy to allow it, or list the host in NO_PROXY if it can be reached without the proxy';
  return noAnswer(hostOf(url), what, todo, cause);
}

/** From what `fetch` threw, whose causes tell more than itself. `proxy`: the one that the environment names. */
export function unreachable(url: string, error: unknown, proxy?: string): MurmureError {
  const causes = [...causesOf(error)];
  const refusal = causes.map(({ message }) => PROXY_REFUSAL.exec(message)?.[1]).find((status) => status !== undefined);
  if (proxy !== undefined && refusal !== undefined) return refusedByProxy(url, proxy, refusal, error);
  const hint =
    proxy === undefined ? '' : ` (HTTPS_PROXY names the proxy ${proxy}; without it if NO_PROXY lists the host)`;
  for (const cause of causes) {
    const reason = REASONS.find(({ codes }) => codes.test(cause.code ?? cause.name));
    if (reason === undefined) continue;
    const { what, todo } = reason;
    return noAnswer(`${hostOf(url)}${hint}`, what, typeof todo === 'string' ? todo : todo(cause), error);
  }
  const { message, code } = causes.at(-1) ?? {};
  const what = safeLine(message || code || 'the reason is unknown', 200);
  return noAnswer(`${hostOf(url)}${hint}`, what, 'check the URL and your network connection', error);
}

/** Whether that is why: a certificate given by hand may mend it. */
export function isUntrusted(error: unknown): boolean {
  return hasCode(error, UNTRUSTED);
}

/** Whether the directory's certificate is why, be it unknown, for another host or of another time. */
export function isCertificateProblem(error: unknown): boolean {
  return hasCode(error, UNTRUSTED) || hasCode(error, /^(CERT_\w+|ERR_TLS_CERT_ALTNAME_INVALID)$/);
}

/** Whether asking again over a new connection makes sense. */
export function isConnectionLost(error: unknown): boolean {
  return hasCode(error, CONNECTION_LOST);
}

function hasCode(error: unknown, codes: RegExp): boolean {
  return [...causesOf(error)].some(({ code }) => code !== undefined && codes.test(code));
}

export function timedOut(url: string, timeoutMs: number): MurmureError {
  const what = `it timed out after ${timeoutMs / 1000} s`;
  return noAnswer(hostOf(url), what, 'check the URL and your network connection, or try again later');
}

/** Something answered, but not as a directory does. */
export function notADirectory(url: string, what: string): MurmureError {
  const message = `what answers at ${url} is not a murmure directory: ${what}; check the URL`;
  return new MurmureError('directory-unreachable', message);
}

/** A directory answered what no directory should. */
export function invalidAnswer(url: string, what: string): MurmureError {
  const message = `the directory gave an invalid answer at ${url}: ${what}; ask whoever runs it`;
  return new MurmureError('invalid-data', message);
}

/** An answer with a status that says no. */
export function refused(url: string, { status, headers }: Response): MurmureError {
  if (status === 429) return noAnswer(url, 'it was asked too often and answered 429', 'wait a minute and try again');
  if (status >= 500) return noAnswer(url, `it answered ${status}`, 'try again later, or ask whoever runs it');
  if (status >= 300 && status < 400) {
    const target = URL.parse(headers.get('location') ?? '', url)?.href;
    const elsewhere = target === undefined ? `with ${status}` : `to ${target}`;
    return noAnswer(
      url,
      `it redirects ${elsewhere}`,
      'redirects are not followed; give the URL of the directory itself',
    );
  }
  return notADirectory(url, `it answered ${status}`);
}

/** Whatever of it is asked for, it cannot be reached for the same reason. */
function hostOf(url: string): string {
  return URL.parse(url)?.origin ?? url;
}

function noAnswer(url: string, what: string, todo: string, cause?: unknown): MurmureError {
  const message = `the directory cannot be reached at ${url}: ${what}; ${todo}`;
  return new MurmureError('directory-unreachable', message, cause === undefined ? {} : { cause });
}

function checkClock(): string {
  return `check this computer's clock, which says ${new Date().toISOString().slice(0, 10)}`;
}

/** In parentheses, from the error of a certificate that is for another host. */
function hostNamesIn(cause: unknown): string {
  const names = (cause as { cert?: Partial<PeerCertificate> }).cert?.subjectaltname;
  return names ? ` (${safeLine(names.replace(/(DNS|IP Address):/g, ''), 200)})` : '';
}

/** The error, its cause, and so on; of several attempts (IPv6, IPv4) the first. */
function* causesOf(error: unknown): Generator<NodeJS.ErrnoException> {
  let next: unknown = error;
  for (let depth = 0; depth < 8 && next instanceof Error; depth++) {
    yield next;
    next = next.cause ?? (next instanceof AggregateError ? next.errors[0] : undefined);
  }
}
