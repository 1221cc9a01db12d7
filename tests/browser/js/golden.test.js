import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Store } from "../../../pathway_viz/browser/state.js";
import { CLOSE_CODES, decode, encode } from "../../../pathway_viz/browser/wire.js";

const golden = JSON.parse(readFileSync(new URL("../../contract/golden.json", import.meta.url), "utf8"));
const payload = (text) => decode(`[${text}]`)[0].payload;

test("snapshot and update give the golden state of a keyed topic", () => {
  const topic = new Store().topic("regions");
  topic.replace(payload(golden.snapshot.keyed));
  assert.equal(topic.apply(payload(golden.update.keyed)), "applied");
  assert.deepEqual(Object.fromEntries(topic.rows), golden.after.regions);
});

test("snapshot and update give the golden rows of an append topic", () => {
  const topic = new Store().topic("cpu");
  topic.replace(payload(golden.snapshot.append));
  assert.equal(topic.apply(payload(golden.update.append)), "applied");
  assert.deepEqual(topic.happenings.map(({ row }) => row), golden.after.cpu);
  assert.equal(topic.skipped, golden.skipped.cpu);
});

test("what the browser says is what the node understands", () => {
  for (const [type, said] of Object.entries(golden.browser)) {
    assert.deepEqual(JSON.parse(encode(type, said)), [{ version: 1, type, payload: said }]);
  }
});

test("both sides know the same close codes", () => {
  assert.deepEqual(Object.keys(CLOSE_CODES).map(Number), golden.close_codes);
});

test("an unknown protocol version is refused", () => {
  assert.throws(() => decode('[{"version":2,"type":"update","payload":{}}]'), /version 2/);
});
