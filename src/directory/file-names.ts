/** What a directory keeps in its home. */
export const fileNames = {
  registry: 'registry.db',
  /** The certificate: peers are given a copy of it. */
  certificate: 'directory-ca.pem',
  tlsKey: 'directory-tls-key.pem',
  /** Signs datagrams. */
  signingKey: 'directory-key.pem',
} as const;
