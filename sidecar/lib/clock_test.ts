import { assertEquals, assertGreaterOrEqual } from "@std/assert";
import { systemClock } from "./clock.ts";

Deno.test("systemClock.now never goes back and after fires once", async () => {
  const before = systemClock.now();
  let fired = 0;
  await new Promise<void>((resolve) => {
    systemClock.after(0, () => {
      fired++;
      resolve();
    });
  });
  assertEquals(fired, 1);
  assertGreaterOrEqual(systemClock.now(), before);
});

Deno.test("systemClock.every repeats until it is disposed, which may happen twice", async () => {
  let fired = 0;
  await new Promise<void>((resolve) => {
    const timer = systemClock.every(1, () => {
      if (++fired < 3) return;
      timer[Symbol.dispose]();
      timer[Symbol.dispose]();
      resolve();
    });
  });
  assertEquals(fired, 3);
});

Deno.test("systemClock.after takes a wait longer than a 32-bit timer without firing at once", async () => {
  let hasFired = false;
  {
    using _long = systemClock.after(2 ** 40, () => hasFired = true);
    await new Promise<void>((resolve) => {
      systemClock.after(2, resolve);
    });
  }
  assertEquals(hasFired, false);
});
