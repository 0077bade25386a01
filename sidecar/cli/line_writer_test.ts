import { assertEquals } from "@std/assert";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { settle } from "./fake_host.ts";
import { LineWriter } from "./line_writer.ts";

/** A pipe that takes at most `chunk` bytes at once, and nothing while it is shut. */
class FakePipe {
  text = "";
  writes = 0;
  readonly #open = Promise.withResolvers<void>();
  readonly #chunk: number;

  constructor({ isShut = false, chunk = Infinity } = {}) {
    this.#chunk = chunk;
    if (!isShut) this.#open.resolve();
  }

  open(): void {
    this.#open.resolve();
  }

  readonly write = async (bytes: Uint8Array): Promise<number> => {
    await this.#open.promise;
    this.writes++;
    const taken = bytes.subarray(0, this.#chunk);
    this.text += new TextDecoder().decode(taken);
    return taken.length;
  };
}

Deno.test("LineWriter writes the lines of one turn at once and in order", async () => {
  const pipe = new FakePipe();
  const writer = new LineWriter(pipe.write);
  for (const line of ["a\n", "b\n", "c\n"]) writer.push(line);
  await writer.flushed(new FakeClock(), 1000);
  writer.push("d\n");
  await writer.flushed(new FakeClock(), 1000);
  assertEquals([pipe.text, pipe.writes], ["a\nb\nc\nd\n", 2]);
});

Deno.test("LineWriter goes on after a partial write", async () => {
  const pipe = new FakePipe({ chunk: 1 });
  const writer = new LineWriter(pipe.write);
  writer.push("abc\n");
  await writer.flushed(new FakeClock(), 1000);
  assertEquals([pipe.text, pipe.writes], ["abc\n", 4]);
});

Deno.test("LineWriter drops what a reader that does not read has no room for, and says how much", async () => {
  const pipe = new FakePipe({ isShut: true });
  const writer = new LineWriter(pipe.write, 4);
  writer.push("a\n");
  await settle();
  for (const line of ["b\n", "c\n", "d\n", "e\n"]) writer.push(line);
  pipe.open();
  await writer.flushed(new FakeClock(), 1000);
  assertEquals(
    pipe.text,
    'a\nb\nc\n{"level":"warn","message":"2 log lines dropped: stderr is not read"}\n',
  );
});

Deno.test("LineWriter does not wait forever for a reader that does not read", async () => {
  const pipe = new FakePipe({ isShut: true });
  const clock = new FakeClock();
  const writer = new LineWriter(pipe.write);
  writer.push("a\n");
  const flushed = writer.flushed(clock, 1000);
  await clock.advance(1000);
  await flushed;
  assertEquals(pipe.text, "");
  pipe.open();
});

Deno.test("LineWriter survives a closed pipe", async () => {
  const writer = new LineWriter(() => Promise.reject(new Error("broken pipe")));
  writer.push("a\n");
  await writer.flushed(new FakeClock(), 1000);
  writer.push("b\n");
  await writer.flushed(new FakeClock(), 1000);
});
