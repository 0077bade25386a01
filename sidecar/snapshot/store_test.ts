import { assertEquals, assertStrictEquals } from "@std/assert";
import { fakeSnapshot } from "../../tests/support/fake_snapshot.ts";
import type { Snapshot } from "./snapshot.ts";
import { SnapshotStore } from "./store.ts";

Deno.test("SnapshotStore holds what was published last", () => {
  const [first, second] = [fakeSnapshot(), fakeSnapshot()];
  const store = new SnapshotStore(first);
  assertStrictEquals(store.current, first);
  store.publish(second);
  assertStrictEquals(store.current, second);
});

Deno.test("SnapshotStore tells its subscribers after the swap, with what was before", () => {
  const [first, second] = [fakeSnapshot(), fakeSnapshot()];
  const store = new SnapshotStore(first);
  const heard: [Snapshot, Snapshot | undefined, Snapshot][] = [];
  store.subscribe((snapshot, previous) => heard.push([snapshot, previous, store.current]));
  store.publish(second);
  assertEquals(heard.length, 1);
  const [snapshot, previous, current] = heard[0]!;
  assertStrictEquals(snapshot, second);
  assertStrictEquals(previous, first);
  assertStrictEquals(current, second);
});

Deno.test("SnapshotStore tells nobody who has left, also when he leaves while others are told", () => {
  const store = new SnapshotStore(fakeSnapshot());
  const heard: string[] = [];
  store.subscribe(() => {
    heard.push("a");
    b[Symbol.dispose]();
  });
  const b = store.subscribe(() => heard.push("b"));
  const c = store.subscribe(() => heard.push("c"));
  store.publish(fakeSnapshot());
  c[Symbol.dispose]();
  c[Symbol.dispose]();
  store.publish(fakeSnapshot());
  assertEquals(heard, ["a", "c", "a"]);
});
