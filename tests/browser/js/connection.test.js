import assert from "node:assert/strict";
import { test } from "node:test";

import { backoff, jitter } from "../../../pathway_viz/browser/backoff.js";
import { Connection } from "../../../pathway_viz/browser/connection.js";

/** A world with a clock of its own and sockets that do what the test says. */
class World {
  sockets = [];
  timers = new Map();
  time = 0;
  random = () => 0.5;
  now = () => this.time;
  open = () => {
    const socket = { sent: [], send: (text) => socket.sent.push(text), close: () => (socket.closed = true) };
    this.sockets.push(socket);
    return socket;
  };
  later = (work, ms) => {
    const timer = Symbol("timer");
    this.timers.set(timer, { work, at: this.time + ms });
    return timer;
  };
  cancel = (timer) => this.timers.delete(timer);
  pass(ms) {
    this.time += ms;
    for (const [timer, { work, at }] of [...this.timers]) {
      if (at <= this.time && this.timers.delete(timer)) work();
    }
  }
}

function connected() {
  const world = new World();
  const owner = { heardTexts: [], states: [], opened() {}, heard: (t) => owner.heardTexts.push(t), moved: (s) => owner.states.push(s) };
  const connection = new Connection("ws://x", owner, world);
  connection.connect();
  world.sockets[0].onopen();
  return { world, owner, connection };
}

test("a lost link is made again, later and later", () => {
  const { world, owner, connection } = connected();
  world.sockets[0].onclose({ code: 1006 });
  assert.equal(connection.state, "waiting");
  world.pass(backoff(0, world.random));
  assert.equal(world.sockets.length, 2);
  assert.deepEqual(owner.states, ["connecting", "open", "waiting", "connecting"]);
  assert.ok(backoff(6, world.random) > backoff(0, world.random));
  assert.ok(backoff(50, () => 1) <= 20_250);
});

test("a draining node is left at once, with jitter", () => {
  const { world } = connected();
  world.sockets[0].onclose({ code: 1012 });
  world.pass(jitter(world.random));
  assert.equal(world.sockets.length, 2);
});

for (const code of [4400, 4401, 4403, 4404, 4409]) {
  test(`after ${code} nothing is tried again`, () => {
    const { world, connection } = connected();
    world.sockets[0].onclose({ code });
    world.pass(1_000_000);
    assert.deepEqual([connection.state, world.sockets.length], ["stopped", 1]);
  });
}

test("silence for three heartbeats is a dead link", () => {
  const { world, connection } = connected();
  connection.heartbeatMs = 1000;
  world.sockets[0].onmessage({ data: "[]" });
  world.pass(2999);
  assert.equal(connection.state, "open");
  world.pass(1);
  assert.equal(connection.state, "waiting");
  assert.ok(world.sockets[0].closed);
});

test("a closed connection leaves no timer and listens to nothing", () => {
  const { world, owner, connection } = connected();
  const [socket] = world.sockets;
  connection.close();
  assert.equal(world.timers.size, 0);
  assert.equal(socket.onmessage, null);
  assert.deepEqual(owner.heardTexts, []);
});

test("an illegal transition says what was expected", () => {
  const { connection } = connected();
  assert.throws(() => connection.move("connecting"), /open cannot be connecting; expected waiting/);
});
