// Request ids: version 4 UUIDs (RFC 9562 5.4) from random bytes fetched many at a time.
// crypto.randomUUID takes twice as long, and gives slices that keep a longer string alive (measured).

/** Ids made of one fetch; getRandomValues gives at most 64 KiB. */
const IDS = 256;
const ID_BYTES = 16;

const HEX: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => byte.toString(16).padStart(2, "0"),
);

const pool = new Uint8Array(IDS * ID_BYTES);
let next = pool.length;

/** A new random id. */
export function newRequestId(): string {
  if (next === pool.length) {
    crypto.getRandomValues(pool);
    next = 0;
  }
  const at = next;
  next += ID_BYTES;
  return hex(at) + hex(at + 1) + hex(at + 2) + hex(at + 3) + "-" + hex(at + 4) + hex(at + 5) +
    "-" + HEX[pool[at + 6]! & 0x0f | 0x40] + hex(at + 7) +
    "-" + HEX[pool[at + 8]! & 0x3f | 0x80] + hex(at + 9) +
    "-" + hex(at + 10) + hex(at + 11) + hex(at + 12) + hex(at + 13) + hex(at + 14) + hex(at + 15);
}

function hex(at: number): string {
  return HEX[pool[at]!]!;
}
