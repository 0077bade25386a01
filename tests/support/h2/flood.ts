// Clients in numbers: one that floods until it is cut, and an innocent one that must notice nothing of it.
import { assertEquals } from "@std/assert";
import { get } from "./block.ts";
import { bytes, headers } from "./frames.ts";
import { H2Peer } from "./peer.ts";

/** More than any attack is granted. */
const MAX_ROUNDS = 2000;

/**
 * Sends what `round` makes, again and again, and reads meanwhile. Resolves when the server has ended the connection, or
 * when it has taken all there is to send; then it is as open as before.
 */
export async function flood(
  peer: H2Peer,
  round: (number: number) => Uint8Array,
  rounds = MAX_ROUNDS,
): Promise<void> {
  let isDone = false;
  const sending = (async () => {
    for (let number = 0; number < rounds && peer.view.goaway === undefined; number++) {
      if (!await peer.send(round(number))) return;
      // Writes that the kernel takes at once would leave reads no turn.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    isDone = true;
    // Something must come back, so that the reader below looks again.
    await peer.send(headers(LAST, get("/after")));
  })();
  await peer.reaches((view) =>
    view.goaway !== undefined || isDone && view.stream(LAST).response !== undefined
  );
  if (peer.view.goaway !== undefined) await peer.ended();
  peer.close();
  await sending;
}

/** Higher than any stream of a flood. */
const LAST = 2 ** 31 - 1;

/** `count` times what `make` makes of the numbers from `start` on. */
export function many(
  count: number,
  start: number,
  make: (number: number) => Uint8Array,
): Uint8Array {
  return bytes(...Array.from({ length: count }, (_, i) => make(start + i)));
}

/** The nth stream of a client. */
export function nth(number: number): number {
  return 2 * number + 1;
}

/** One request after the other on one connection while `run` runs; each must get its own answer. */
export async function besides(port: number, run: () => Promise<void>): Promise<void> {
  using peer = await H2Peer.client(port, [], { isGenerous: true, patienceMs: 60_000 });
  let isOver = false;
  const asking = async () => {
    for (let number = 0; !isOver; number++) {
      const { status, body } = await peer.ask(nth(number), get(`/innocent/${number}`));
      assertEquals([status, body], ["200", `GET /innocent/${number}`]);
    }
  };
  const running = run().finally(() => isOver = true);
  const results = await Promise.allSettled([running, asking()]);
  for (const result of results) if (result.status === "rejected") throw result.reason;
}
