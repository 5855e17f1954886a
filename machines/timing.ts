/** Every delay and limit of the protocol, each with its reason. Milliseconds unless the name says otherwise. */

export const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

export const timing = {
  /** A session lasts this long after its Hello was answered (protocol §5). */
  sessionLifetime: HOUR,
  /** Hello is repeated from this age on, so that four sends fit before the hour is over (protocol §5). */
  sessionRenewal: 54 * MINUTE,
  /** An expired incoming session is remembered this long, to answer "expired" rather than "none". */
  expiredSessionMemory: HOUR,
  /** One tick expires and renews all sessions: a timer per session would cost each of them on every other's end. */
  sweepInterval: 5 * SECOND,
  /** A Hello is forgotten if its key and signature are not known after this time. The directory has less time to answer. */
  identifyingPatience: 30 * SECOND,
  /** While many sessions are unproven, those that have not answered our Hello for this long are removed: two sends of it (protocol §9). */
  unprovenPatience: 4 * SECOND,
  /** How often a sweep goes through all sessions: each of them costs an event. */
  sessionSweepInterval: 20 * SECOND,

  /** Whoever follows us asks for our root within two sweeps. After a longer silence, it may have read from a copy of this home. */
  readerSilence: 12 * SECOND,

  /** First wait for a HelloReply: the other side may have to fetch our key from the directory (protocol §6). */
  helloTimeout: 2 * SECOND,
  /** Wait for the answer to a Hello that may be sent only once: as long as to two (protocol §5, §6). */
  lonelyHelloTimeout: 6 * SECOND,
  /** First wait for any other answer before a round trip was measured (protocol §6, RFC 6298 §2.1). */
  initialTimeout: SECOND,
  /** A Nodes datagram that others have overtaken is given so long at least: timers and busy machines are no more exact (protocol §10.1). */
  overtakenPatience: 10,
  /** Smallest retransmission timeout (protocol §6). */
  minimumTimeout: 200,
  /** Timeouts double up to here (protocol §6). */
  maximumTimeout: 16 * SECOND,
  /** Timeouts are spread by this share either way, so that peers do not repeat in step (protocol §6). */
  timeoutJitter: 0.1,

  /** Between the first Hellos to several addresses of one peer (protocol §5, RFC 8305 §5). */
  connectionAttemptDelay: 250,
  /** Unanswered for so long, the directory is asked to have the other side open its NAT: just before Hello is repeated (protocol §8). */
  traversalDelay: 1_500,
  /** The same before Hello is repeated for the second time. */
  secondTraversalDelay: 5 * SECOND,
  /** Where a peer is has to be known after so long: longer than a look-up takes that has a deadline of its own. */
  locatingPatience: 20 * SECOND,
  /** Whoever waits for a session is told after so long that there is none; a later HelloReply still opens it. */
  greetingPatience: 10 * SECOND,
  /** The same once a session has fallen silent: with the silence before that, no longer in all. */
  searchPatience: 7 * SECOND,
  /** Nothing may come from an address for so long, at least, before it is suspect (protocol §5). */
  minimumSilence: 3 * SECOND,
  /** A pushed Root is pushed again after so long, doubling, unless the other side asks for it. */
  pushTimeout: SECOND,
  /** A directory asks a new address again after this pause: whoever proved it may have been a program that ends at once (protocol §3). */
  probePause: MINUTE,

  /** A registration over HTTPS proves for this long that its host is there, and may be sent one Hello (protocol §9). */
  voucherLifetime: 2 * MINUTE,

  /** First pause after a failed conversation with the directory; doubles up to the next, which a post may have to wait for. */
  directoryRetry: SECOND,
  directoryRetryMaximum: 4 * SECOND,
  /** A name that another key has is asked for again after so long. */
  rejectionPause: MINUTE,
  /** A registration is renewed at this age, five minutes before the directory forgets it (protocol §5). */
  registrationRenewal: 50 * MINUTE,
  /** How often a fresh registration asks whether the directory lists it already. */
  listingPoll: 150,
  listingPollMaximum: 5 * SECOND,
  /** A registration that nobody confirms within this time starts over. */
  listingTimeout: 40 * SECOND,
  /** Whoever read from us so long ago is told of new roots, and after a start where we are (protocol §5). */
  readerMemory: 24 * HOUR,
  /** How often a session tells that its peer reads from us. */
  readerReport: MINUTE,
  /** Behind a NAT something goes out at least so often: NATs forget a UDP mapping after 30 s (protocol §5, RFC 4787 REQ-5). */
  keepAliveInterval: 25 * SECOND,
  /** A peer that does not answer a path check within this time is asked by its session, with an ordinary request. */
  pathCheckPatience: 1.5 * SECOND,
  /** How often a registered peer asks its directory over UDP whether it still knows it (protocol §5); less than a minute, so that the answer is known by then. */
  directoryCheck: 45 * SECOND,
  /** An answer to that comes within so long, or the directory counts as gone. */
  directoryPatience: 10 * SECOND,
  /** How often the listing is read again while all is well (protocol §5). */
  listingCheck: 15 * MINUTE,
  /** A listing at an IP address that is not ours counts after so long: a NAT stands between us and the directory. */
  listingPatience: 5 * SECOND,
  /** How often the clocks are compared: whoever wakes up is to be reachable at once. */
  clockCheck: SECOND,
  /** A comparison that comes so much later than the one before: this machine slept (protocol §5). */
  sleepThreshold: 30 * SECOND,
  /** It is looked for other programs under our name at most this often: two that say Hello to each other must not do so for ever. */
  copySearch: 10 * SECOND,
  /** Followed peers that never push are asked for their root this often. */
  followInterval: MINUTE,

  /** How often the store is asked, at least, what is to be published later: a timer cannot wait for a year. */
  scheduleCheck: HOUR,
  /** A scheduled message that could not be published is tried again after so long. */
  scheduleRetry: MINUTE,

  /** A socket that breaks is opened again after this pause. */
  socketReopen: SECOND,
} as const;

export const limits = {
  /** Sends of a Hello, and of anything else, the first one included (protocol §6). */
  helloSends: 4,
  /** Addresses of one peer to which Hello is said at once (protocol §5). */
  racingHellos: 3,
  /** Further addresses at which a peer was heard that are remembered for when its path falls silent. */
  alternatives: 8,
  /** Sends of a pushed Root to somebody who does not ask for it. */
  pushSends: 4,
  requestSends: 5,
  /** Further sends of a request because later ones were answered first: these are no timeouts (protocol §6). */
  overtakenSends: 5,
  /** Timeouts of one request, with nothing received meanwhile, after which an address is suspect (protocol §5). */
  sendsBeforeSuspicion: 3,
  /** Sends of a RootRequest that asks whether an address still answers, once the peer turned up at another (protocol §5). */
  challengeSends: 3,
  /** Sends of a RootRequest that asks whether a followed peer still answers: three seconds of silence on a fast path (protocol §5). */
  checkSends: 4,
  /** A followed peer is checked once in this many sweeps: popular authors have to answer each of their readers. */
  sweepsBetweenChecks: 2,
  /** Addresses at which followed peers that have fallen silent are looked for within one sweep interval: at most 26 datagrams a second. */
  searchesPerSweep: 64,
  /** Requests in flight over a path before the first of them is answered, and then (protocol §6). */
  firstWindow: 2,
  initialWindow: 10,
  maximumWindow: 512,
  /** Nodes datagrams that are sent to one address back to back, and those that may wait to be sent there (protocol §10.1). */
  burst: 16,
  grantsPerAddress: 255,
  /** Sends of a GetNodes: whoever does not know its proof any more is silent, and single requests need none. */
  bulkSends: 2,
  /** What shows that the extension does not work with a peer: refusals, and requests that stay unanswered while others are answered (protocol §10). */
  bulkRefusals: 2,
  bulkSilences: 2,
  /** Incoming sessions a peer keeps; the oldest unproven one goes first (protocol §9). */
  incomingSessions: 1_024,
  /** Up to this many unproven sessions, a sweep removes none of them, however old they are. */
  unprovenSessions: 256,
  /** Of them from one host: many peers may live behind one address, and none may take all places. */
  incomingSessionsPerHost: 128,
  /** Of them from one network, once three quarters of all are taken. */
  incomingSessionsPerNetwork: 64,
  /** Sends of a Hello to an address from which somebody says Hello under another name than the one that is in session. */
  doubtSends: 2,
  /** Outgoing sessions that strangers, by proving their addresses, can make a peer keep. */
  outgoingSessions: 1_024,
  /** Before an address is proven it gets at most this many times the bytes it sent (protocol §5). */
  amplification: 3,
  /** Messages a feed may have before its walk ends (protocol §9). */
  messageQuota: 1_000_000,
  /** Requests in a row that may stay unanswered before a walk takes the other side for gone. */
  stalledRequests: 2,
  /** Downloads at once of those whom we follow; starting a thousand at once would stall everything else. */
  walks: 64,
  /** Downloads at once for roots that one peer announces; after that one a second, for the newest. */
  announcedWalks: 10,
  /** Peers that are asked about our own history at once: some may not answer, and no other is to wait for those. */
  historyChecks: 128,
  /** Peers that are pinged at once. */
  pings: 64,
  /** Nodes of our own history that a peer is asked for at once, where the first few do not tell: known peers answer one after the other. */
  historyQuestions: 16,
  /** Nodes a walk may fetch for each message of its quota: a binary tree has two. */
  nodesPerMessage: 2,
  /** Requests that wait while an address is being proven (protocol §5). */
  heldRequests: 8,
  /** Peers that are remembered to read from us. */
  readers: 4_096,
  /** Readers that are greeted within one sweep interval: each costs a look-up and a handshake. */
  greetingsPerSweep: 32,
  /** Errors sent to one source, and in all, within one sweep interval (protocol §9). */
  errorsPerSource: 5,
  errorsInAll: 200,
  /** NatTraversalServer acted on within one sweep interval (protocol §8). */
  traversalsPerSweep: 10,
  /** Times a session says Hello anew for requests that the other side refuses. */
  regreetings: 1,
  /** Restarts of a failed child within one sweep interval before it stays down. */
  restarts: 5,
} as const;
