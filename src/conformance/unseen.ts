/** What the protocol demands, and nobody can see from outside: for these the tests of each program have to do. */
export interface Unseen {
  readonly section: string;
  readonly rule: string;
  readonly why: string;
}

const INSIDE = 'what a reader does with what it has read is not sent to anybody';
const HOURS = 'takes an hour or more';
const READS = 'shows only while the other side reads from us, which a peer does with those that it follows';
const PATHS = 'takes a network whose paths fail when they are told to';

export const unseen: readonly Unseen[] = [
  { section: '2', rule: 'readers accept any node that fits a datagram, and any shape of tree', why: READS },
  { section: '2', rule: 'how a body that is not UTF-8, and a date that is none, are shown', why: INSIDE },
  { section: '2', rule: 'messages are sorted by min(claimed, first seen)', why: INSIDE },
  { section: '3', rule: 'addresses are forgotten after an hour, bindings after 90 days of running time', why: HOURS },
  {
    section: '3',
    rule: 'a registration that is never proven is dropped after two minutes',
    why: 'no answer differs before and after',
  },
  { section: '4', rule: 'an answer is accepted only if id, source address and type fit an open request', why: READS },
  { section: '4', rule: 'an Error is always shown to the user', why: INSIDE },
  { section: '5', rule: 'a session lasts one hour, and is renewed by minute 55', why: HOURS },
  { section: '5', rule: 'a Root that lacks the signature of a peer with a key is not believed', why: INSIDE },
  { section: '5', rule: 'a further address of a peer takes no traffic away from a path that answers', why: PATHS },
  { section: '5', rule: 'a path is suspect after three timeouts, and others are tried', why: PATHS },
  { section: '5', rule: 'a keep-alive goes out every 25 s behind a NAT', why: 'takes a NAT' },
  {
    section: '5',
    rule: 'a new root is pushed to readers of the last day',
    why: 'takes a publication at the right time',
  },
  {
    section: '6',
    rule: 'requests other than Hello: five sends, the same id and bytes, measured timeouts, paced',
    why: READS,
  },
  { section: '7', rule: 'keys are pinned per name on first use', why: INSIDE },
  {
    section: '9',
    rule: 'an invalid node, a bomb or a tree over the quota ends the walk with a named error',
    why: READS,
  },
  {
    section: '9',
    rule: 'proven sessions are not evicted by unproven ones',
    why: 'takes more addresses than one machine has',
  },
  { section: '9', rule: 'no control character reaches the terminal', why: INSIDE },
  { section: '9', rule: 'history that went back is reported', why: INSIDE },
  {
    section: '10.1',
    rule: 'the requester accepts late and repeated Nodes as it should, and keeps to its window',
    why: READS,
  },
];
