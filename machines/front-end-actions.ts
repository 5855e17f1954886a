/** What the front end's machine does itself: it notes where the person is, what is half-written, and what came of things. */
import { assertEvent, assign } from 'xstate';
import type { Hash } from '../src/wire/hash.ts';
import { parseAddress } from '../src/wire/socket-address.ts';
import {
  type AwaitedSync,
  draftOf,
  here,
  isPlaceKind,
  isSyncAction,
  pushed,
  withAwaited,
  withDraft,
} from './front-end-context.ts';
import { answerIn, base, chosen, given } from './front-end-setup.ts';

const places = base.extend({
  actions: {
    noteAction: assign(({ context, event }) => {
      const { action, subject, cursor } = chosen(event);
      return {
        action,
        subject,
        offered: undefined,
        places: [...context.places.slice(0, -1), { ...here(context), cursor }],
        notice: undefined,
      };
    }),
    enterPlace: assign(({ context, event }) => {
      const { action, subject, cursor } = chosen(event);
      if (!isPlaceKind(action)) return {};
      const left = [...context.places.slice(0, -1), { ...here(context), cursor }];
      return { places: pushed(left, { kind: action, subject, cursor: '' }), notice: undefined };
    }),
    enterPlaceOfPeer: assign(({ context, event }) => {
      assertEvent(event, 'peer.chosen');
      if (!isPlaceKind(context.action)) return {};
      return { places: pushed(context.places, { kind: context.action, subject: event.name, cursor: '' }) };
    }),
    enterFound: assign(({ context, event }) => ({
      places: pushed(context.places, { kind: 'found' as const, subject: given(event).text.trim(), cursor: '' }),
    })),
    leavePlace: assign(({ context }) => ({
      places: context.places.length > 1 ? context.places.slice(0, -1) : context.places,
      notice: undefined,
    })),
    notePeer: assign(({ event }) => {
      assertEvent(event, 'peer.chosen');
      return { subject: event.name };
    }),
    noteWord: assign(({ event }) => {
      assertEvent(event, 'word.given');
      return { action: event.muted ? ('mute-word' as const) : ('unmute-word' as const), subject: event.word };
    }),
    noteOffered: assign(({ event }) => {
      assertEvent(event, 'trust.answered');
      return { offered: event.key };
    }),
    noteNames: assign(({ event }) => {
      assertEvent(event, 'peers.listed');
      return { names: event.names };
    }),
    /** What was written is where the person is, on the screens that have it. */
    notePublished: assign(({ context, event }) => {
      assertEvent(event, 'message.published');
      const place = here(context);
      if (!['timeline', 'thread'].includes(place.kind)) return {};
      return { places: [...context.places.slice(0, -1), { ...place, cursor: event.hash }] };
    }),
  },
});

const drafts = places.extend({
  actions: {
    noteDraft: assign(({ context, event }) => {
      assertEvent(event, ['text.given', 'text.changed']);
      const dueMs = event.type === 'text.given' ? event.dueMs : undefined;
      return { drafts: withDraft(context, event.text), dueMs };
    }),
    /** It is a draft again, before what was half-written meanwhile. */
    noteTakenBack: assign(({ context, event }) => {
      assertEvent(event, 'message.unscheduled');
      const { text, inReplyTo } = event;
      const about =
        inReplyTo === null
          ? ({ action: 'post', subject: '' } as const)
          : ({ action: 'reply', subject: inReplyTo } as const);
      const written = [text, draftOf({ ...context, ...about })].filter((part) => part !== '').join('\n');
      return { ...about, drafts: withDraft({ ...context, ...about }, written), notice: undefined };
    }),
    forgetDraft: assign(({ context }) => ({ drafts: withDraft(context, '') })),
  },
});

const notices = drafts.extend({
  actions: {
    noteKept: assign(({ context }) => ({
      notice: draftOf(context) === '' ? undefined : { type: 'draft.kept' as const, isLasting: context.keepsDrafts },
    })),
    noteNobody: assign(({ context }) => ({ notice: { type: 'nobody.found' as const, action: context.action } })),
    noteDone: assign(({ event }) => {
      assertEvent(event, 'work.done');
      return { notice: event.notice };
    }),
    noteFailed: assign(({ event }) => {
      assertEvent(event, ['work.failed', 'wish.failed']);
      return { notice: { type: 'failure' as const, failure: event.failure } };
    }),
    noteAnswer: assign(({ event }) => ({ notice: answerIn(event) })),
    noteSync: assign(({ context, event }) => {
      assertEvent(event, 'sync.finished');
      const { report } = event;
      const about = context.awaited.find(({ name }) => name === report.peer)?.about ?? 'sync';
      const awaited = context.awaited.filter(({ name }) => name !== report.peer);
      // Somebody who was just followed is on the timeline: only a failure has to be told.
      if (about === 'follow' && report.error === undefined) return { awaited };
      return { awaited, notice: { type: 'sync.finished' as const, about, report } };
    }),
    noteGreeted: assign(({ event }) => {
      assertEvent(event, 'session.opened');
      const { address, name } = event;
      return { greeted: undefined, notice: { type: 'hello.answered' as const, address, name } };
    }),
    noteBadAddress: assign(({ event }) => {
      const address = parseAddress(given(event).text.trim());
      const message = address.ok ? '' : address.why;
      return { notice: { type: 'failure' as const, failure: { code: 'usage' as const, message } } };
    }),
  },
});

export const withActions = notices.extend({
  actions: {
    takeTicket: assign(({ context }) => ({ wishes: context.wishes + 1 })),
    markSeen: notices.enqueueActions(({ event, enqueue }) => {
      assertEvent(event, 'message.seen');
      const wish = { type: 'read.wanted' as const, hashes: [event.hash as Hash], ticket: '' };
      enqueue({ type: 'sendToPeer', params: { wish } });
    }),
    markNoticed: notices.enqueueActions(({ event, enqueue }) => {
      assertEvent(event, 'notification.seen');
      const mark = { kind: 'notice', subject: event.hash, marked: true } as const;
      enqueue({ type: 'sendToPeer', params: { wish: { type: 'mark.wanted', ...mark, ticket: '' } } });
    }),
    /** Of the peer that was chosen. */
    beginSync: notices.enqueueActions(({ context, enqueue }) => {
      const { action, subject, awaited } = context;
      const about = isSyncAction(action) ? action : 'follow';
      enqueue({ type: 'sendToPeer', params: { wish: { type: 'sync.wanted', name: subject } } });
      enqueue.assign({ awaited: withAwaited(awaited, [{ name: subject, about }]) });
      if (about !== 'follow') enqueue.assign({ notice: { type: 'syncs.begun', names: [subject] } });
    }),
    /** Of everyone who was listed. */
    beginSyncs: notices.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'peers.listed');
      const { names } = event;
      const added = names.map((name): AwaitedSync => ({ name, about: 'follow' }));
      enqueue.assign({ awaited: withAwaited(context.awaited, added), notice: { type: 'syncs.begun', names } });
      for (const name of names) enqueue({ type: 'sendToPeer', params: { wish: { type: 'sync.wanted', name } } });
    }),
    sendHello: notices.enqueueActions(({ event, enqueue }) => {
      const parsed = parseAddress(given(event).text.trim());
      if (!parsed.ok) return;
      const { value: address } = parsed;
      enqueue.assign({ greeted: address, notice: { type: 'hello.sent', address } });
      enqueue({ type: 'sendToPeer', params: { wish: { type: 'hello.wanted', address } } });
    }),
  },
});
