// Ports for what tests start: below the range that Linux takes for outgoing connections, so that none comes in between.

const FIRST = 20_000;
const COUNT = 12_000;

const given = new Set<number>();

/** A loopback port that nobody listens on, never the same twice. */
export function freePort(): number {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (given.has(port)) continue;
    given.add(port);
    if (isFree(port)) return port;
  }
}

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}
