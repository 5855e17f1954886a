/** What a directory keeps in its home. */
export const fileNames = {
  registry: 'registry.db',
  /** Held while a directory runs on this home. */
  lock: 'directory.lock',
  /** The certificate: peers are given a copy of it. */
  certificate: 'directory-ca.pem',
  tlsKey: 'directory-tls-key.pem',
  /** Signs datagrams. */
  signingKey: 'directory-key.pem',
} as const;
