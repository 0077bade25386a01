// One direction of a raw TCP connection: reads, writes, and only then reads again, so that the pace is the receiver's.
import { BufferPool } from "../lib/buffer_pool.ts";
import type { Transport } from "../net/transport.ts";

/** A silent connection pins this much each way. */
const SMALL_BYTES = 4096;

/** For one that fills the small buffer: fewer calls for the same bytes. */
const LARGE = new BufferPool(65_536, 64);

/** Below this a large buffer is given back: the connection talks, it does not transfer. */
const BUSY_BYTES = 1024;

/** Hears of everything that moves, and of the side that broke. */
export interface LaneWatch {
  /** `bytes` were read, or (0) the last ones are with the kernel. */
  onMoved(bytes: number): void;
  onBroken(side: "sender" | "receiver", cause: unknown): void;
}

/** Resolves when `from` has sent its last byte and `to` was told so, or when either broke. Never rejects. */
export async function carry(from: Transport, to: Transport, watch: LaneWatch): Promise<void> {
  const small = new Uint8Array(SMALL_BYTES);
  let buffer = small;
  let side: "sender" | "receiver" = "sender";
  try {
    for (let count = await from.read(buffer); count; count = await from.read(buffer)) {
      watch.onMoved(count);
      side = "receiver";
      await to.write(count === buffer.length ? buffer : buffer.subarray(0, count));
      watch.onMoved(0);
      side = "sender";
      if (buffer === small && count === SMALL_BYTES) buffer = LARGE.acquire();
      else if (buffer !== small && count < BUSY_BYTES) {
        LARGE.release(buffer);
        buffer = small;
      }
    }
  } catch (cause) {
    // A write that was cut stays under way in the runtime: its buffer is nobody else's.
    return watch.onBroken(side, cause);
  }
  if (buffer !== small) LARGE.release(buffer);
  to.closeWrite();
}
