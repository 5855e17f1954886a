/** The HTTPS side of a directory as it stands: nothing is repeated, repaired or judged. */
import { createTransport } from '../peer/directory-transport.ts';
import type { Https } from './subject.ts';

export function plainHttps(directory: string, ca: string | undefined): Https {
  const url = new URL(directory);
  const { fetch } = createTransport({ url, ca, onCertificate: () => {} });
  const base = url.href.replace(/\/+$/, '');
  return async (path, { method = 'GET', body, contentType } = {}) => {
    // Bytes have no Content-Type of their own.
    const bytes = body === undefined ? undefined : new TextEncoder().encode(body);
    const response = await fetch(
      new Request(`${base}${path}`, {
        method,
        redirect: 'manual',
        ...(bytes && { body: bytes }),
        ...(contentType !== undefined && { headers: { 'content-type': contentType } }),
      }),
    );
    const received = new Uint8Array(await response.arrayBuffer());
    return { status: response.status, bytes: received, text: new TextDecoder().decode(received) };
  };
}
