/**
 * How requests reach a directory: over connections of its own, through the proxy that the environment names, and with the
 * certificates that this client trusts. Nothing here changes what the rest of the process trusts.
 */
import { X509Certificate } from 'node:crypto';
import { BlockList, isIP } from 'node:net';
import { checkServerIdentity, createSecureContext, getCACertificates, type PeerCertificate } from 'node:tls';
import type { Dispatcher } from 'undici';
import { MurmureError } from '../wire/murmure-error.ts';

export interface TransportOptions {
  readonly url: URL;
  /** Certificates in PEM, trusted besides those that Node trusts. */
  readonly ca: string | undefined;
  /** Called with each certificate of the directory's that is trusted. */
  readonly onCertificate: (certificate: PeerCertificate) => void;
}

export interface Transport {
  /** As the global `fetch`, for the `fetch` option of ky. */
  readonly fetch: (input: string | URL | Request) => Promise<Response>;
  /** Those that are open lead from where this machine was before: whatever waits on one fails, and is asked over a new one. */
  readonly forgetConnections: () => void;
  /** URL of the proxy, without user and password; undefined if there is none. */
  readonly proxy: string | undefined;
}

/** At once; more requests than that wait for one another. */
const MAX_CONNECTIONS = 8;

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

/** @throws MurmureError `usage` for a `ca` that is not a certificate, or a proxy that is not a URL */
export function createTransport(options: TransportOptions): Transport {
  const certificates = options.ca === undefined ? undefined : certificatesIn(options.ca);
  const proxy = proxyFor(options.url);
  let loading: Promise<{ fetch: typeof import('undici').fetch; dispatcher: Dispatcher }> | undefined;

  // Loading undici takes longer than most commands do: only those that ask a directory should wait for it.
  const load = async () => {
    const { Agent, EnvHttpProxyAgent, fetch } = await import('undici');
    const tls = {
      checkServerIdentity: (host: string, certificate: PeerCertificate) => {
        options.onCertificate(certificate);
        return checkServerIdentity(host, certificate);
      },
      // Made once, since reading all authorities takes a while.
      ...(certificates && {
        secureContext: createSecureContext({ ca: [...getCACertificates('default'), ...certificates] }),
      }),
    };
    const common = { connections: MAX_CONNECTIONS, allowH2: false, connect: tls };
    const dispatcher =
      proxy === undefined
        ? new Agent(common)
        : new EnvHttpProxyAgent({ ...common, requestTls: tls, httpProxy: '', httpsProxy: proxy.href });
    return { fetch, dispatcher };
  };

  return {
    proxy: proxy?.origin,
    forgetConnections: () => {
      void loading?.then(
        ({ dispatcher }) => dispatcher.destroy(),
        () => {},
      );
      loading = undefined;
    },
    fetch: async (input) => {
      loading ??= load();
      const { fetch, dispatcher } = await loading;
      const request = input instanceof Request ? input : new Request(input);
      const response = await fetch(request.url, {
        method: request.method,
        headers: [...request.headers],
        body: request.body === null ? null : await request.arrayBuffer(),
        redirect: request.redirect,
        signal: request.signal,
        dispatcher,
      });
      // The same class, of another release than the one that Node has built in.
      return response as unknown as Response;
    },
  };
}

/** Node reads only the first certificate of each string, so a file with a chain has to be taken apart. */
function certificatesIn(pem: string): string[] {
  const certificates = pem.match(PEM_CERTIFICATE) ?? [];
  if (certificates.length > 0 && certificates.every(isCertificate)) return certificates;
  throw new MurmureError(
    'usage',
    'the certificate to trust is not one in PEM: it must read "-----BEGIN CERTIFICATE-----…"; check the file given with --ca',
  );
}

function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
}

/** HTTPS_PROXY, in small letters first as other programs read it. A proxy is of no use for a directory on this machine. */
function proxyFor({ hostname }: URL): URL | undefined {
  const text = process.env.https_proxy || process.env.HTTPS_PROXY;
  if (!text || isThisMachine(hostname)) return undefined;
  const proxy = URL.parse(text);
  if (proxy !== null && /^(https?|socks5?):$/.test(proxy.protocol)) return proxy;
  throw new MurmureError(
    'usage',
    // It is not quoted, since there may be a password in it.
    'HTTPS_PROXY is not the URL of a proxy; write for example http://proxy.example:3128',
  );
}

function isThisMachine(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  const family = isIP(host);
  if (family === 0) return /(^|\.)localhost\.?$/i.test(host);
  return loopback.check(host, family === 6 ? 'ipv6' : 'ipv4');
}
