/** What can be read at this instant: who wrote it, and how it came here, down to the datagram. */
import { computed, effect, signal } from '@preact/signals';
import { startOfConversation, turnsFrom } from '../feed/conversation.ts';
import { formatAddress } from '../wire/socket-address.ts';
import type { Row } from './crossings.ts';
import { type Carrier, carrierOf, type Feed, Feeds, type Post } from './feeds.ts';
import type { Actor, Run } from './run.ts';
import {
  author,
  choose,
  crossings,
  go,
  goToRow,
  grown,
  LISTS,
  list,
  message,
  nameOf,
  position,
  run,
  view,
} from './state.ts';
import { countText, plain, plainText, px, sinceText } from './text.ts';
import { unfold } from './value.tsx';
import { Virtual } from './virtual.tsx';

const ROW = 46;
const INDENT = 18;
/** Deeper than this, there would be no room left for the text. */
const MOST_INDENTS = 8;

/** By run. A run grows: what was read of it is not read again. */
const readings = new WeakMap<Run, Feeds>();
/** Counts what was read of runs that were longer than is read at once. */
const readOn = signal(0);
const isReading = signal(false);

function feedsOf(of: Run): Feeds {
  const known = readings.get(of) ?? new Feeds(of);
  readings.set(of, known);
  return known;
}

/** Nothing of this is done while something else is shown. */
effect(() => {
  if (view.value !== 'reading') return undefined;
  grown.value;
  readOn.value;
  isReading.value = !feedsOf(run.value).follow();
  if (!isReading.peek()) return undefined;
  const timer = setTimeout(() => {
    readOn.value += 1;
  });
  return () => clearTimeout(timer);
});

const feeds = computed<readonly Feed[]>(() => {
  grown.value;
  readOn.value;
  return feedsOf(run.value).at(position.value);
});

const timeline = computed<readonly Post[]>(() => {
  const from = feedsOf(run.value);
  return feeds.value.flatMap(({ posts }) => posts).sort((a, b) => from.orderOf(a) - from.orderOf(b));
});

const byHash = computed(() => new Map(timeline.value.map((post) => [post.hash, post])));
const repliesTo = computed(() => Map.groupBy(timeline.value, ({ inReplyTo }) => inReplyTo));

const post = computed<Post | undefined>(() => byHash.value.get(message.value ?? ''));
/** The one that was chosen, else the author of the chosen message, else the first. */
const feed = computed<Feed | undefined>(() => {
  const wanted = author.value ?? post.value?.author;
  return feeds.value.find((it) => it.author === wanted) ?? (wanted === undefined ? feeds.value[0] : undefined);
});

interface Item {
  readonly post: Post;
  readonly depth: number;
}

const items = computed<readonly Item[]>(() => {
  if (list.value === 'timeline') return timeline.value.map((it) => ({ post: it, depth: 0 }));
  if (list.value === 'author') return (feed.value?.posts ?? []).map((it) => ({ post: it, depth: 0 }));
  const known = {
    message: (hash: string) => byHash.value.get(hash),
    replies: (hash: string) => repliesTo.value.get(hash) ?? [],
  };
  const of = post.value;
  if (of === undefined) return [];
  return Array.from(turnsFrom(known, startOfConversation(known, of)), ({ message: turn, depth }) => ({
    post: turn,
    depth,
  }));
});

const place = computed(() => items.value.findIndex((item) => item.post === post.value));

export function goToPost(direction: 1 | -1): void {
  const from = place.value === -1 ? items.value.length : place.value;
  const next = items.value[from + direction] ?? items.value.at(-1);
  if (next !== undefined && from + direction >= 0) message.value = next.post.hash;
}

export function nextList(): void {
  list.value = LISTS[(LISTS.indexOf(list.value) + 1) % LISTS.length] ?? 'timeline';
}

export function Reading() {
  return (
    <main class="reading">
      <Authors />
      <Posts />
      <PostDetails />
    </main>
  );
}

function Authors() {
  const shown = feeds.value;
  return (
    <section class="pane authors" aria-label="Authors">
      <header>
        <h2>Authors</h2>
        <span class="quiet">{countText(shown.length)}</span>
      </header>
      <Virtual
        class="rows"
        label="Authors of messages"
        count={shown.length}
        rowHeight={26}
        draw={(first, last) =>
          shown.slice(first, last).map((it) => (
            <button
              type="button"
              key={it.author}
              class="row"
              aria-pressed={list.value === 'author' && it === feed.value}
              onClick={() => showAuthor(it.author)}
            >
              <span class="name">{plain(it.author)}</span>
              <span class="count">{countText(it.posts.length)}</span>
            </button>
          ))
        }
      />
    </section>
  );
}

function showAuthor(name: string): void {
  author.value = name;
  list.value = 'author';
}

function Posts() {
  const shown = items.value;
  const title = list.value === 'author' ? `of ${plain(feed.value?.author ?? 'nobody')}` : '';
  return (
    <section class="pane posts" aria-label="What can be read">
      <header>
        <h2>
          {countText(shown.length)} {shown.length === 1 ? 'message' : 'messages'} {title}
        </h2>
        {isReading.value && <span class="quiet">reading …</span>}
        <fieldset class="views tools">
          <legend class="unseen">Messages</legend>
          {LISTS.map((name) => (
            <button
              type="button"
              key={name}
              aria-pressed={list.value === name}
              title={`${name} (v)`}
              onClick={() => {
                list.value = name;
              }}
            >
              {name}
            </button>
          ))}
        </fieldset>
      </header>
      {shown.length === 0 && <p class="none">{whyEmpty()}</p>}
      <Virtual
        class="rows"
        label="Messages, the newest last"
        count={shown.length}
        rowHeight={ROW}
        at={place.value === -1 ? shown.length - 1 : place.value}
        draw={(first, last) => shown.slice(first, last).map((item) => <PostRow key={item.post.hash} {...item} />)}
      />
    </section>
  );
}

function whyEmpty(): string {
  if (list.value === 'thread' && message.value === undefined) return 'Choose a message to see its conversation.';
  if (list.value === 'thread') return whyNone();
  return 'Nothing has been read or written at this moment. Go on in time.';
}

function PostRow({ post: of, depth }: Item) {
  return (
    <button
      type="button"
      class={`post${of === post.value ? ' chosen' : ''}${of.isHeld ? '' : ' on-its-way'}`}
      style={{ height: px(ROW), paddingLeft: px(10 + INDENT * Math.min(depth, MOST_INDENTS)) }}
      aria-current={of === post.value}
      onClick={() => {
        message.value = of.hash;
      }}
    >
      <span class="line">
        <strong>{plain(of.author)}</strong>
        <span class="quiet">{dateText(of.claimedMs)}</span>
        <span class="how">{HOW[of.came.how]}</span>
      </span>
      <span class="text">{plain(of.body(), 200) || '(empty)'}</span>
    </button>
  );
}

const HOW: Readonly<Record<Post['came']['how'], string>> = {
  fetched: 'fetched',
  found: 'was here',
  published: 'published here',
  served: 'own',
  stored: 'in the store',
};

function dateText(ms: number | undefined): string {
  if (ms === undefined) return 'without a date';
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}

function PostDetails() {
  const of = post.value;
  return (
    <section class="pane details" aria-label="Message">
      <header>
        <h2>{of === undefined ? 'Message' : plain(of.author)}</h2>
        {of !== undefined && <span class="quiet">{dateText(of.claimedMs)}</span>}
      </header>
      <div class="scroll">
        {of === undefined ? <p class="quiet">{whyNone()}</p> : <Whole post={of} />}
        {list.value === 'author' && feed.value !== undefined && <Walks of={feed.value} />}
      </div>
    </section>
  );
}

function whyNone(): string {
  return message.value === undefined
    ? 'Choose a message (↑ ↓).'
    : 'The chosen message is not here at this moment. Go on in time, or choose another (↑ ↓).';
}

function Whole({ post: of }: { post: Post }) {
  const answered = of.inReplyTo === null ? undefined : byHash.value.get(of.inReplyTo);
  return (
    <>
      <p class="body">{plainText(of.body())}</p>
      <h3>How it came here</h3>
      <ol class="origin">
        <Origin post={of} />
      </ol>
      <h3>Message</h3>
      <dl>
        <dt>hash</dt>
        <dd class="hash">{of.hash}</dd>
        {of.inReplyTo !== null && (
          <>
            <dt>answers</dt>
            <dd>
              {answered === undefined ? (
                <span class="hash">{of.inReplyTo}</span>
              ) : (
                <Go says={`${plain(answered.author)}: ${plain(answered.body(), 60)}`} to={() => show(answered)} />
              )}
            </dd>
          </>
        )}
        <dt>answers to it</dt>
        <dd>{countText(repliesTo.value.get(of.hash)?.length ?? 0)}</dd>
      </dl>
    </>
  );
}

function show(of: Post): void {
  message.value = of.hash;
}

const carrier = computed<Carrier | undefined>(() => {
  const of = post.value;
  return of && carrierOf(run.value, of);
});

/** In the journal of whoever sent it, or got it, if that is here as well. */
const otherEnd = computed<Row | undefined>(() => {
  const at = carrier.value;
  if (at === undefined || crossings.value.lanes.length < 2) return undefined;
  const isHere = (row: Row) => row.run === run.value && row.moment === at.at;
  for (const row of crossings.value.rows) {
    for (const { type, to } of row.sent) {
      if (to === undefined || type !== at.type) continue;
      if (isHere(to)) return row;
      if (isHere(row)) return to;
    }
  }
  return undefined;
});

function Origin({ post: of }: { post: Post }) {
  const { came, adopted } = of;
  const at = carrier.value;
  const other = otherEnd.value;
  const where = came.how === 'fetched' ? 'from' : 'to';
  return (
    <>
      {came.how === 'published' && <Step at={came.at}>It was published here. {goTo(came.by, came.at)}</Step>}
      {came.how === 'stored' && <Step at={came.at}>It was in the store then; how it came was not seen.</Step>}
      {other !== undefined && came.how === 'fetched' && (
        <li>
          {plain(other.run.header.name)} sent it. <Go says="its datagram" to={() => showRow(other)} />
        </li>
      )}
      {at !== undefined && (
        <Step at={at.at}>
          A {at.type} datagram of {countText(at.size)} bytes {came.how === 'fetched' ? 'brought it' : 'took it along'},{' '}
          {where} {formatAddress(at.address)}. <Go says="the datagram" to={() => goToCarrier(of, at)} />
        </Step>
      )}
      {other !== undefined && came.how === 'served' && (
        <li>
          {plain(other.run.header.name)} got it. <Go says="its datagram" to={() => showRow(other)} />
        </li>
      )}
      {(came.how === 'fetched' || came.how === 'found') && (
        <Step at={came.at}>
          {came.how === 'fetched' ? 'A walk fetched it.' : 'It was here already: a walk found it in the store.'}{' '}
          {goTo(came.by, came.at)}
        </Step>
      )}
      {adopted !== undefined && (
        <Step at={adopted.at}>
          The tree that it is in was adopted, with {countText(adopted.newMessages)} new. {goTo(adopted.by, adopted.at)}
        </Step>
      )}
      {!of.isHeld && <li>Its tree has not been adopted at this moment.</li>}
    </>
  );
}

function Walks({ of }: { of: Feed }) {
  return (
    <>
      <h3>Walks that brought something of {plain(of.author)}</h3>
      <ol class="origin">
        {of.adoptions.slice(-SHOWN_WALKS).map(({ at, by, newMessages, withdrawnMessages }) => (
          <Step key={at} at={at}>
            {countText(newMessages)} new{withdrawnMessages > 0 && `, ${countText(withdrawnMessages)} withdrawn`}.{' '}
            {goTo(by, at)}
          </Step>
        ))}
      </ol>
      {of.adoptions.length === 0 && <p class="quiet">None was seen until this moment.</p>}
    </>
  );
}

const SHOWN_WALKS = 50;

function Step({ at, children }: { at: number; children: preact.ComponentChildren }) {
  const { moments, forgotten, header } = run.value;
  const atMs = moments[at - forgotten]?.atMs;
  return (
    <li>
      {atMs !== undefined && <span class="quiet">{sinceText(atMs - header.startedAtMs)} </span>}
      {children}
    </li>
  );
}

function Go({ says, to }: { says: string; to: () => void }) {
  return (
    <button type="button" class="link" onClick={to}>
      {says}
    </button>
  );
}

function goTo(of: Actor, at: number) {
  return <Go says={nameOf(of)} to={() => showActor(of, at)} />;
}

function showActor(of: Actor, at: number): void {
  view.value = 'machines';
  choose(of);
  go(at - run.value.forgotten);
}

/** Its bytes are unfolded, and explained. */
function goToCarrier({ came }: Post, { at, index }: Carrier): void {
  const socket = run.value.moments[at - run.value.forgotten]?.actor;
  if (socket === undefined) return;
  showActor(socket, at);
  unfold(came.how === 'fetched' ? `event.arrivals.${index}.bytes` : `event.datagrams.${index}`);
}

function showRow(to: Row): void {
  view.value = 'network';
  goToRow(to);
}

/** The datagram that carried it, else the walk, or whatever brought it. */
export function goToOrigin(): void {
  const of = post.value;
  if (of === undefined) return;
  if (carrier.value !== undefined) goToCarrier(of, carrier.value);
  else if (of.came.how !== 'stored') showActor(of.came.by, of.came.at);
}
