import assert from "node:assert/strict";
import { test } from "node:test";

import { MAX_HAPPENINGS, Store, Topic } from "../../../pathway_viz/browser/state.js";

const update = (offset, upserts, more = {}) => ({
  topic: "t", position: `e1:100-${offset}`, commit: offset, upserts, deletes: [], ...more,
});
const joined = () => {
  const topic = new Topic("t");
  topic.replace({ topic: "t", position: "e1:100-1", reason: "join", commit: 1, rows: { a: [1] } });
  return topic;
};

test("a frame that is known already changes nothing", () => {
  const topic = joined();
  assert.equal(topic.apply(update(1, { a: [9] })), "old");
  assert.deepEqual(topic.rows.get("a"), [1]);
});

test("a frame behind a hole is not applied", () => {
  const topic = joined();
  assert.equal(topic.apply(update(3, { a: [9] })), "gap");
  assert.equal(topic.position, "e1:100-1");
});

test("a frame of another epoch is not applied", () => {
  assert.equal(joined().apply(update(2, {}, { position: "e2:100-2" })), "gap");
});

test("what happened is numbered without a hole", () => {
  const topic = joined();
  topic.apply(update(2, { a: [2], b: [3] }));
  assert.deepEqual(topic.since(1).map(({ key }) => key), ["a", "b"]);
  assert.equal(topic.latest.row[0], 3);
});

test("memory is bounded whatever comes", () => {
  const topic = joined();
  for (let i = 2; i < MAX_HAPPENINGS * 3; i++) topic.apply(update(i, { a: [i] }));
  assert.ok(topic.happenings.length <= MAX_HAPPENINGS * 1.2);
  assert.equal(topic.since(0)[0].number, topic.happenings[0].number);
});

test("a snapshot begins a new life", () => {
  const topic = joined();
  const { life } = topic;
  topic.replace({ topic: "t", position: "e2:100-7", reason: "epoch", commit: 7, rows: {} });
  assert.equal(topic.life, life + 1);
  assert.equal(topic.rows.size, 0);
});

test("the store forgets what is no longer shown, and tells where it stands", () => {
  const store = new Store();
  store.topic("t").replace({ topic: "t", position: "e1:100-1", reason: "join", commit: 1, rows: {} });
  store.topic("empty");
  assert.deepEqual(store.positions(), { t: "e1:100-1" });
  store.keep(["empty"]);
  assert.deepEqual([...store.topics.keys()], ["empty"]);
});

test("rows that never came are counted, whether a frame or a snapshot shows it", () => {
  const topic = new Topic("t");
  topic.replace({ topic: "t", position: "e:1-5", reason: "join", commit: 1, count: 100, dropped: 7, batches: [[1, [[1], [2]]]] });
  assert.equal(topic.skipped, 0);
  topic.apply({ topic: "t", position: "e:1-6", commit: 1, rows: [[3]] });
  topic.apply({ topic: "t", position: "e:1-7", commit: 1, rows: [[4], [5]] });
  assert.equal(topic.skipped, 0);
  topic.apply({ topic: "t", position: "e:1-8", commit: 1, dropped: 10, rows: [[6]] });
  assert.equal(topic.skipped, 3);
  topic.replace({ topic: "t", position: "e:1-90", reason: "gap", commit: 1, count: 200, dropped: 10, batches: [[1, [[7], [8]]]] });
  assert.equal(topic.skipped, 3 + 94);
  topic.replace({ topic: "t", position: "e:1-99", reason: "lag", commit: 1, count: 203, dropped: 15, batches: [[1, [[7], [8], [9], [10], [11], [12]]]] });
  assert.equal(topic.skipped, 3 + 94 + 5, "what was dropped among rows that came again counts too");
});
