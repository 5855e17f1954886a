/** Trusting a certificate that no known authority has signed, for `fetch` and thus for ky. */
import { X509Certificate } from 'node:crypto';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { MurmureError } from '../wire/murmure-error.ts';

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

const trusted = new Set<string>();

/**
 * Trusts the certificates of a PEM text besides those trusted already. `fetch` takes no certificates of its own, so this
 * holds for the whole process, and for good; each distinct certificate is added once, since adding reloads all of them.
 * Of several self-signed ones with one and the same subject, OpenSSL finds only one: each needs a subject of its own.
 * @throws MurmureError `usage` for what is not a certificate in PEM
 */
export function trustCertificate(pem: string): void {
  // Node reads the first certificate of each string only: a file with a chain has to be taken apart.
  const certificates = pem.match(PEM_CERTIFICATE) ?? [];
  if (certificates.length === 0 || !certificates.every(isCertificate)) {
    throw new MurmureError(
      'usage',
      'the certificate to trust is not one in PEM: it must read "-----BEGIN CERTIFICATE-----…"; check the file given with --ca',
    );
  }
  const added = certificates.filter((certificate) => !trusted.has(certificate));
  if (added.length === 0) return;
  setDefaultCACertificates([...getCACertificates('default'), ...added]);
  for (const certificate of added) trusted.add(certificate);
}

function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
}
