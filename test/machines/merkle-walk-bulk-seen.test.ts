/** Protocol §10: nodes that a walk asks for in bulk. */
import { describe, expect, test } from 'vitest';
import { type Hash, hashOf } from '../../src/wire/hash.ts';
import { cost, newer, older, root, SeenWalk, tree } from './seen-walk.ts';

describe('nodes in bulk', () => {
  const bulk = { isBulk: true, window: 64 };
  const asks = (walk: SeenWalk) =>
    walk.outside.events
      .filter(({ event }) => event.type === 'bulk.wanted')
      .flatMap(({ event }) => event.requests as { wanted: { parent?: Hash; children?: Hash[]; mask: number }[] }[]);
  const receiveInBulk = (walk: SeenWalk, values: readonly Uint8Array[], fields: object = {}) =>
    walk.send({
      type: 'nodes.received',
      nodes: values.map((value) => ({ hash: hashOf(value), value, depth: 0 })),
      unserved: [],
      single: [],
      atMs: 4,
      ...cost,
      ...bulk,
      freed: 1,
      ...fields,
    });

  function walkInBulk(begun: object): SeenWalk {
    const walk = new SeenWalk();
    walk.ready(bulk);
    walk.answerRoot(root, bulk);
    walk.begun(begun);
    walk.found();
    return walk;
  }

  test('are asked for as children of their parent, and none by its hash', () => {
    const walk = walkInBulk({ totalMessages: 5 });
    expect(asks(walk)).toEqual([
      { wanted: [expect.objectContaining({ parent: undefined, children: [root] })], grant: 1 },
    ]);
    receiveInBulk(walk, [tree]);
    walk.found();
    expect(asks(walk).at(-1)?.wanted).toEqual([
      { parent: root, children: [hashOf(older), hashOf(newer)], mask: 0b11, depth: 1 },
    ]);
    expect(walk.wanted()).toEqual([]);
  });

  test('of a feed that is new come with their children, before these are known', () => {
    const walk = walkInBulk({ totalMessages: 0 });
    const [request] = asks(walk);
    expect(request?.wanted[0]).toMatchObject({ children: [root] });
    expect(request?.wanted.slice(1).every(({ parent, children }) => parent === root && children === undefined)).toBe(
      true,
    );
    expect(request?.wanted.length).toBeGreaterThan(1);
  });

  test('of a feed of which nothing is here are looked up near the root only, and asked for at once below', () => {
    const walkBelow = (depth: number, isNew: boolean) => {
      const walk = walkInBulk({ isNew });
      receiveInBulk(walk, [tree], { nodes: [{ hash: root, value: tree, depth }] });
      return walk;
    };
    const lookedUpBelow = (walk: SeenWalk) => walk.paramsOf('lookUp').length - 1;
    expect(lookedUpBelow(walkBelow(1, true))).toBe(1);
    expect(lookedUpBelow(walkBelow(2, false))).toBe(1);
    const walk = walkBelow(2, true);
    expect(lookedUpBelow(walk)).toBe(0);
    expect(walk.actor.getSnapshot().context).toMatchObject({ lookUps: [] });
    expect(walk.actor.getSnapshot().value).toBe('fetching');
  });

  test('that are known only in part are asked for but for those that are there', () => {
    const walk = walkInBulk({ totalMessages: 5 });
    receiveInBulk(walk, [tree]);
    walk.found({ hash: hashOf(newer) });
    expect(asks(walk).at(-1)?.wanted).toMatchObject([{ parent: root, mask: 0b01 }]);
  });

  test('that were not served are asked for again in bulk; those that are not to be had so by their hashes', () => {
    const walk = walkInBulk({ totalMessages: 5 });
    receiveInBulk(walk, [tree]);
    walk.found();
    const unserved = [{ parent: root, children: [hashOf(older), hashOf(newer)], mask: 0b01, depth: 1 }];
    receiveInBulk(walk, [], { unserved, single: [hashOf(newer)], freed: 2 });
    expect(asks(walk).at(-1)?.wanted).toMatchObject([{ parent: root, mask: 0b01 }]);
    expect(walk.wanted()).toEqual([[hashOf(newer)]]);
  });
});
