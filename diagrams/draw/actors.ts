/** What the machines alone do not tell of the actors: how each kind of child is named, and what there is one of it for. */
export const children: Readonly<Record<string, { readonly id: string; readonly per: string }>> = {
  socket: { id: 'socket.INDEX', per: 'local UDP address' },
  'directory-client': { id: 'directory-client', per: 'peer' },
  'outgoing-session': { id: 'outgoing-session.NAME', per: 'peer or directory that we ask' },
  'incoming-session': { id: 'incoming-session.ADDRESS', per: 'address that asks us' },
  'merkle-walk': { id: 'merkle-walk.NAME', per: 'download of a tree' },
  'history-check': { id: 'history-check.NAME', per: 'followed peer asked about our history' },
  ping: { id: 'ping.NAME', per: 'peer whose answer is timed' },
  'path-checks': { id: 'path-checks', per: 'peer' },
  request: { id: 'request.INDEX', per: 'request in flight, reused' },
  'address-proof': { id: 'address-proof.ADDRESS', per: 'address to be proven' },
};

/** Root actors that talk to another root actor, which may run in another process. */
export const companions: Readonly<Record<string, string>> = { 'front-end': 'peer' };
