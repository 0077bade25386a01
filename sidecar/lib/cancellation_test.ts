import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Cancellation } from "./cancellation.ts";

Deno.test("Cancellation tells its listeners the reason at once and in order", () => {
  const cancellation = new Cancellation();
  const heard: string[] = [];
  cancellation.onCancel((reason) => heard.push(`1 ${reason.message}`));
  cancellation.onCancel((reason) => heard.push(`2 ${reason.message}`));
  assert(!cancellation.isCancelled);
  cancellation.cancel(new Error("gone"));
  assertEquals(heard, ["1 gone", "2 gone"]);
  assert(cancellation.isCancelled);
});

Deno.test("Cancellation happens once: the first reason stays and nobody hears twice", () => {
  const cancellation = new Cancellation();
  let calls = 0;
  cancellation.onCancel(() => calls++);
  const first = new Error("first");
  cancellation.cancel(first);
  cancellation.cancel(new Error("second"));
  assertStrictEquals(cancellation.reason, first);
  assertEquals(calls, 1);
});

Deno.test("Cancellation calls a listener that comes too late at once", () => {
  const cancellation = new Cancellation();
  cancellation.cancel(new Error("gone"));
  let heard = "";
  cancellation.onCancel((reason) => heard = reason.message);
  assertEquals(heard, "gone");
});

Deno.test("Cancellation forgets a listener that was taken off, and ignores unknown ones", () => {
  const cancellation = new Cancellation();
  let calls = 0;
  const listener = (): void => void calls++;
  cancellation.onCancel(listener);
  cancellation.off(listener);
  cancellation.off(listener);
  cancellation.cancel(new Error("gone"));
  assertEquals(calls, 0);
});

Deno.test("Cancellation tells the others in order, whichever of its listeners was taken off", () => {
  for (const gone of [0, 1, 2]) {
    const cancellation = new Cancellation();
    const heard: number[] = [];
    const listeners = [0, 1, 2].map((i) => (): void => void heard.push(i));
    for (const listener of listeners) cancellation.onCancel(listener);
    cancellation.off(listeners[gone]!);
    cancellation.onCancel(() => heard.push(3));
    cancellation.cancel(new Error("gone"));
    assertEquals(heard, [0, 1, 2, 3].filter((i) => i !== gone));
  }
});

Deno.test("Cancellation does not call a listener that another one takes off while it is told", () => {
  const cancellation = new Cancellation();
  const heard: string[] = [];
  const second = (): void => void heard.push("second");
  cancellation.onCancel(() => {
    heard.push("first");
    cancellation.off(second);
  });
  cancellation.onCancel(second);
  cancellation.onCancel(() => heard.push("third"));
  cancellation.cancel(new Error("gone"));
  assertEquals(heard, ["first", "third"]);
});

Deno.test("Cancellation.throwIfCancelled throws the very reason, and nothing before", () => {
  const cancellation = new Cancellation();
  cancellation.throwIfCancelled();
  const reason = new Error("gone");
  cancellation.cancel(reason);
  assertStrictEquals(assertThrows(() => cancellation.throwIfCancelled()), reason);
});
