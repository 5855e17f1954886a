/**
 * What the machines alone do not tell of the actors: how many of a kind there are, and who sends what to whom. A test runs
 * peers and a directory, and finds these tables to be what happens, neither more nor less.
 */

/** How each kind of child is named, and what there is one of it for. */
export const children: Readonly<Record<string, { readonly id: string; readonly per: string }>> = {
  socket: { id: 'socket.INDEX', per: 'local UDP address' },
  'directory-client': { id: 'directory-client', per: 'peer' },
  'outgoing-session': { id: 'outgoing-session.NAME', per: 'peer or directory that we ask' },
  'incoming-session': { id: 'incoming-session.ADDRESS', per: 'address that asks us' },
  'merkle-walk': { id: 'merkle-walk.NAME', per: 'download of a tree' },
  'history-check': { id: 'history-check.NAME', per: 'followed peer asked about our history' },
  request: { id: 'request.INDEX', per: 'Hello or RootRequest in flight, reused' },
  'node-requests': { id: 'node-requests.INDEX', per: 'nodes asked for together, reused' },
  'address-proof': { id: 'address-proof.ADDRESS', per: 'address to be proven' },
};

/** Root actors that talk to another root actor, which may run in another process. */
export const companions: Readonly<Record<string, string>> = { 'front-end': 'peer' };

/** Effects, timers of the owner, the command line: whatever is no actor. */
export const OUTSIDE = 'outside';

/**
 * Sender, receiver, events; senders from the top of the picture to its bottom. Starting, ending and `after` are XState's own
 * business, and not listed.
 */
export const messages: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  [OUTSIDE]: {
    peer: [
      'announcement.verified',
      'follow.changed',
      'follow.wanted',
      'following.changed',
      'hello.wanted',
      'history.wanted',
      'message.published',
      'message.withdrawn',
      'messages.read',
      'mute.changed',
      'mute.wanted',
      'peer.stop',
      'post.wanted',
      'read.wanted',
      'root.published',
      'root.sealed',
      'sweep',
      'sync.wanted',
      'wish.failed',
      'withdrawal.wanted',
    ],
    socket: ['datagrams.dropped', 'datagrams.received', 'datagrams.send', 'socket.failed', 'socket.opened'],
    'directory-client': ['directory.failed', 'directory.found', 'listing.checked', 'registration.accepted'],
    'outgoing-session': ['peer.located', 'peer.notLocated'],
    'incoming-session': ['hello.verified', 'key.found', 'nodes.read'],
    request: ['answer.verified', 'datagram.signed'],
    'merkle-walk': ['adoption.failed', 'nodes.lookedUp', 'tree.adopted', 'walk.begun'],
    directory: [
      'address.listed',
      'addresses.undated',
      'directory.stop',
      'hello.checked',
      'host.vouched',
      'sweep',
      'traversal.checked',
    ],
    'first-run': [
      'certificate.given',
      'certificate.untrusted',
      'directory.answered',
      'directory.chosen',
      'directory.failed',
      'doubt.answered',
      'home.failed',
      'home.saved',
      'introduction.read',
      'name.given',
      'passphrase.settled',
      'prompt.cancelled',
      'url.given',
    ],
    'front-end': [
      'action.chosen',
      'message.seen',
      'peer.chosen',
      'peers.listed',
      'prompt.cancelled',
      'quit.answered',
      'text.changed',
      'text.given',
      'withdrawal.answered',
      'work.done',
      'work.failed',
    ],
  },
  'front-end': {
    peer: [
      'follow.wanted',
      'hello.wanted',
      'mute.wanted',
      'post.wanted',
      'read.wanted',
      'sync.wanted',
      'withdrawal.wanted',
    ],
  },
  peer: {
    'front-end': [
      'follow.changed',
      'message.published',
      'message.withdrawn',
      'messages.read',
      'messages.received',
      'mute.changed',
      'session.opened',
      'sync.finished',
      'wish.failed',
    ],
    'directory-client': ['greeting.failed'],
    socket: ['datagrams.send', 'source.unrouted'],
    'outgoing-session': ['session.adopt', 'session.greet', 'session.open', 'sockets.changed', 'sweep'],
    'incoming-session': ['root.changed', 'session.proven', 'sweep'],
  },
  'directory-client': {
    peer: ['directory.greetingWanted', 'directory.known', 'registration.failed', 'registration.listed'],
  },
  'incoming-session': {
    peer: ['address.proven', 'error.owed', 'session.accepted', 'session.expired'],
    socket: ['datagrams.send', 'source.routed'],
  },
  'merkle-walk': {
    peer: ['session.wanted', 'sync.progressed'],
    'outgoing-session': ['nodes.wanted', 'root.wanted'],
  },
  'history-check': {
    peer: ['session.wanted'],
    'outgoing-session': ['nodes.wanted'],
  },
  'outgoing-session': {
    peer: ['error.answered', 'session.established', 'session.lost', 'traversal.wanted'],
    request: ['request.open'],
    'node-requests': ['nodes.request'],
    'merkle-walk': [
      'nodes.absent',
      'nodes.failed',
      'nodes.received',
      'root.failed',
      'root.received',
      'session.failed',
      'session.ready',
    ],
    'history-check': ['nodes.absent', 'nodes.failed', 'nodes.received', 'session.failed', 'session.ready'],
  },
  'address-proof': { request: ['request.open'] },
  request: {
    socket: ['datagrams.dropped', 'datagrams.send', 'routes.dropped'],
    'outgoing-session': ['request.ended'],
    'address-proof': ['request.ended'],
  },
  'node-requests': {
    socket: ['datagrams.dropped', 'datagrams.send', 'routes.dropped'],
    'outgoing-session': ['nodes.ended'],
  },
  socket: {
    peer: ['datagram.unsolicited', 'socket.lost', 'socket.ready', 'stranger.asked'],
    'incoming-session': ['nodes.requested', 'request.received'],
    request: ['answer.received', 'nodes.answered'],
    'node-requests': ['answer.received', 'nodes.answered'],
    directory: ['datagram.unsolicited', 'socket.lost', 'socket.ready', 'stranger.asked'],
  },
  directory: { socket: ['datagrams.send'] },
};
