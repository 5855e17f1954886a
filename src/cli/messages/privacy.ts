/** What one has to know before one begins; docs/privacy.md has the rest. */
export const WHAT_OTHERS_LEARN =
  'Messages are public. Being listed at a directory publishes your IP address, and reading an author tells that author who reads.';
