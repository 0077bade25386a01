import { assertEquals } from "@std/assert";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { type Sweepable, Sweeper } from "./sweeper.ts";

class Watched implements Sweepable {
  readonly seen: number[] = [];
  onSweep = (): void => {};

  sweep(nowMs: number): void {
    this.seen.push(nowMs);
    this.onSweep();
  }
}

Deno.test("Sweeper looks at everything each interval and tells it the time", async () => {
  const clock = new FakeClock();
  const sweeper = new Sweeper(clock, 250);
  const [a, b] = [new Watched(), new Watched()];
  sweeper.add(a);
  await clock.advance(300);
  sweeper.add(b);
  await clock.advance(300);
  assertEquals(a.seen, [250, 500]);
  assertEquals(b.seen, [500]);
});

Deno.test("Sweeper runs a timer only while it has something to look at", async () => {
  const clock = new FakeClock();
  const sweeper = new Sweeper(clock);
  assertEquals(clock.pending, 0);
  const [a, b] = [new Watched(), new Watched()];
  sweeper.add(a);
  sweeper.add(b);
  assertEquals(clock.pending, 1);
  sweeper.delete(a);
  assertEquals(clock.pending, 1);
  sweeper.delete(b);
  sweeper.delete(b);
  assertEquals(clock.pending, 0);
  sweeper.add(a);
  await clock.advance(250);
  assertEquals(a.seen, [250]);
});

Deno.test("Sweeper bears things that come and go while it looks", async () => {
  const clock = new FakeClock();
  const sweeper = new Sweeper(clock, 100);
  const [a, b, c] = [new Watched(), new Watched(), new Watched()];
  a.onSweep = () => {
    sweeper.delete(a);
    sweeper.delete(b);
  };
  for (const one of [a, b, c]) sweeper.add(one);
  await clock.advance(250);
  assertEquals([a.seen, b.seen, c.seen], [[100], [], [100, 200]]);
});
