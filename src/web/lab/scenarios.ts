/** The lab's scenarios: which peers there are, what happens to them, and three sentences about what to look at. */
import { codeIn, codeOf } from '../../wire/datagram.ts';
import type { SocketAddress } from '../../wire/socket-address.ts';
import type { Lab, NatName, Weather } from './lab.ts';

export interface ScenarioPeer {
  readonly name: string;
  /** It follows these, and has read them, when the scenario begins. */
  readonly follows?: readonly string[];
  /** How many messages it has written before. */
  readonly written?: number;
  readonly nat?: NatName;
}

interface Step {
  /** Since the scenario began. */
  readonly atMs: number;
  readonly does: (lab: Lab) => void;
}

interface Carried {
  readonly from: SocketAddress;
  readonly to: SocketAddress;
  readonly bytes: Uint8Array;
}

export interface Scenario {
  /** As in links to it. */
  readonly id: string;
  readonly title: string;
  readonly text: readonly [string, string, string];
  readonly peers: readonly ScenarioPeer[];
  readonly course: readonly Step[];
  /** The peer whose machines are shown first. */
  readonly focus: string;
  readonly speed: number;
  readonly weather?: Partial<Weather>;
  readonly seed?: number;
  /** True: this datagram is lost. */
  readonly loses?: (lab: Lab, datagram: Carried) => boolean;
}

const follows = (reader: string, author: string, atMs = 400): Step => ({
  atMs,
  does: (lab) => lab.follow(reader, author),
});

const posts = (author: string, atMs: number): Step => ({
  atMs,
  does: (lab) => lab.post(author),
});

/** The labs in which a Hello has been lost already. */
const lost = new WeakSet<Lab>();

export const scenarios: readonly Scenario[] = [
  {
    id: 'first-download',
    title: 'A first download',
    text: [
      'Bob has never read Alice, who has written forty messages.',
      'He says Hello, asks for the root of her tree and then for the nodes below it, and checks the hash of each node.',
      'In the machines of bob, step through merkle-walk.alice: it asks only for hashes that a verified node contains.',
    ],
    peers: [{ name: 'alice', written: 40 }, { name: 'bob' }],
    course: [follows('bob', 'alice')],
    focus: 'bob',
    speed: 0.25,
  },
  {
    id: 'lost-hello',
    title: 'A Hello is lost',
    text: [
      'The first Hello that Bob sends to Alice is lost, and he is not told.',
      'His request waits for two seconds and then sends the same bytes again; Alice never learns that there was an earlier one.',
      'In the machines of bob, look for the request of outgoing-session.alice and its "after retransmissionTimeout".',
    ],
    peers: [{ name: 'alice', written: 3 }, { name: 'bob' }],
    course: [follows('bob', 'alice')],
    focus: 'bob',
    speed: 0.5,
    loses: (lab, { from, to, bytes }) => {
      const [alice, bob] = ['alice', 'bob'].map((name) => lab.members.get(name)?.at.ip);
      if (lost.has(lab) || codeIn(bytes) !== codeOf('Hello') || from.ip !== bob || to.ip !== alice) return false;
      lost.add(lab);
      return true;
    },
  },
  {
    id: 'one-more',
    title: 'One more message',
    text: [
      'Bob has all five hundred messages of Alice when she writes one more.',
      'She pushes her new root to him, and he fetches only what has changed: the new leaf and the nodes above it.',
      'Count the nodes that he asks for in merkle-walk.alice: one for each level of the tree, not five hundred.',
    ],
    peers: [
      { name: 'alice', written: 500 },
      { name: 'bob', follows: ['alice'] },
    ],
    course: [posts('alice', 400)],
    focus: 'bob',
    speed: 0.25,
  },
  {
    id: 'five-readers',
    title: 'One post, five readers',
    text: [
      'Five peers follow Alice, and each of them has a session with her.',
      'When she writes, she pushes her signed root to each of them, so nobody has to ask whether there is something new.',
      'The directory takes no part in this: it told them where Alice is, and it never sees a message.',
    ],
    peers: [
      { name: 'alice', written: 5 },
      ...['bob', 'carol', 'dave', 'erin', 'frank'].map((name) => ({ name, follows: ['alice'] })),
    ],
    course: [posts('alice', 400)],
    focus: 'alice',
    speed: 0.25,
  },
  {
    id: 'twice',
    title: 'Everything arrives twice',
    text: [
      'The network delivers every datagram twice.',
      'The second copy of an answer belongs to no open request, so it is dropped and counted; Alice answers the second copy of a request again.',
      'At the end Bob has each message once, and "dropped" in the context of his socket counts the copies.',
    ],
    peers: [{ name: 'alice', written: 40 }, { name: 'bob' }],
    course: [follows('bob', 'alice')],
    focus: 'bob',
    speed: 0.25,
    weather: { duplication: 1 },
  },
  {
    id: 'author-moves',
    title: 'The author moves',
    text: [
      'Alice changes her address, like a laptop that goes to another network, and then writes a message.',
      'Her peer notices, proves the new address to the directory, and says Hello to her readers.',
      'For Bob the new address is another path of the same session, so he carries on without starting again.',
    ],
    peers: [
      { name: 'alice', written: 10 },
      { name: 'bob', follows: ['alice'] },
    ],
    course: [{ atMs: 1_000, does: (lab) => lab.move('alice', 'open') }, posts('alice', 4_000)],
    focus: 'bob',
    speed: 1,
  },
  {
    id: 'lying-tree',
    title: 'A tree that lies',
    text: [
      'Alice answers with bytes that differ from those that Bob asks for.',
      'Their hash is not the one that a verified node contains, so Bob drops the answer, counts it, and asks again.',
      'However often she answers, no false byte gets into his store, and the download ends with an error that says why.',
    ],
    peers: [{ name: 'alice', written: 40 }, { name: 'bob' }],
    course: [{ atMs: 200, does: (lab) => lab.setLying('alice', true) }, follows('bob', 'alice', 600)],
    focus: 'bob',
    speed: 1,
  },
  {
    id: 'two-nats',
    title: 'Two routers in between',
    text: [
      'Alice and Bob are both behind routers that let a datagram in only if something was sent to its source before.',
      'Bob cannot reach Alice, so he asks the directory, which tells her to send him a datagram; this opens her router.',
      'Follow NatTraversalClient and NatTraversalServer, and the Hello that gets through after them.',
    ],
    peers: [
      { name: 'alice', written: 5, nat: 'portRestricted' },
      { name: 'bob', nat: 'portRestricted' },
    ],
    course: [follows('bob', 'alice')],
    focus: 'bob',
    speed: 0.5,
  },
  {
    id: 'reader-sleeps',
    title: 'A reader sleeps',
    text: [
      'Bob closes the lid of his laptop, and Alice writes twice while it is closed.',
      'Everything sent to him is lost; when he wakes, his clock has jumped, so he registers and says Hello at once.',
      'He asks for her root and gets both messages: he has missed nothing.',
    ],
    peers: [
      { name: 'alice', written: 5 },
      { name: 'bob', follows: ['alice'] },
    ],
    course: [
      { atMs: 1_000, does: (lab) => lab.setSleeping('bob', true) },
      posts('alice', 5_000),
      posts('alice', 20_000),
      { atMs: 50_000, does: (lab) => lab.setSleeping('bob', false) },
    ],
    focus: 'bob',
    speed: 4,
  },
  {
    id: 'cut-in-two',
    title: 'The network is cut in two',
    text: [
      'Carol and Dave are cut off from the directory and from everybody else, but not from each other.',
      'Each side carries on: Dave still gets what Carol writes, and Bob gets what Alice writes.',
      'When the cut heals, each side catches up with the other.',
    ],
    peers: [
      { name: 'alice', follows: ['carol'] },
      { name: 'bob', follows: ['alice', 'carol'] },
      { name: 'carol', follows: ['alice'] },
      { name: 'dave', follows: ['alice', 'carol'] },
    ].map((peer) => ({ ...peer, written: 3 })),
    course: [
      {
        atMs: 1_000,
        does: (lab) => ['carol', 'dave'].map((name) => lab.setCutOff(name, true)),
      },
      posts('alice', 3_000),
      posts('carol', 4_000),
      {
        atMs: 40_000,
        does: (lab) => ['carol', 'dave'].map((name) => lab.setCutOff(name, false)),
      },
    ],
    focus: 'dave',
    speed: 2,
  },
  {
    id: 'directory-away',
    title: 'The directory is away',
    text: [
      'The directory stops, and Alice writes a message.',
      'Bob still gets it, because the two know each other and talk directly.',
      'Only strangers need a directory: add a peer, and watch it try again until the directory is back.',
    ],
    peers: [
      { name: 'alice', written: 5 },
      { name: 'bob', follows: ['alice'] },
    ],
    course: [{ atMs: 500, does: (lab) => void lab.setDirectoryUp(false) }, posts('alice', 2_000)],
    focus: 'alice',
    speed: 0.5,
  },
  {
    id: 'free',
    title: 'Free play',
    text: [
      'Three peers read each other, and nothing happens by itself.',
      'Make any peer post, move, sleep or restart, cut the network in two, and make it as bad as you like.',
      'Whatever you do, check that every post arrives in the end.',
    ],
    peers: [
      { name: 'alice', follows: ['bob', 'carol'] },
      { name: 'bob', follows: ['alice', 'carol'] },
      { name: 'carol', follows: ['alice', 'bob'] },
    ].map((peer) => ({ ...peer, written: 3 })),
    course: [],
    focus: 'alice',
    speed: 0.5,
  },
];
