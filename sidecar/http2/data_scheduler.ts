// DATA of all streams of one connection in turn (RFC 9113 5.2): what the connection's window and the out buffer allow, and
// who goes next when they are used up.
import { canGrow } from "./flow_control.ts";
import { FRAME_HEADER_BYTES } from "./frame.ts";
import type { Output } from "./output.ts";
import { ConnectionError, REASON } from "./reason.ts";
import { DEFAULT_WINDOW, type PeerSettings } from "./settings.ts";

/** Less room than this in the buffer is not worth a frame: the next buffer is near. */
const MIN_ROOM = 2048 + FRAME_HEADER_BYTES;

export interface Sender {
  /** Writes one turn's worth, and parks again if there is more. */
  resume(): void;
}

export class DataScheduler {
  readonly output: Output;
  /** DATA frames written so far. */
  frames = 0;
  readonly #peer: PeerSettings;
  readonly #waiting: Sender[] = [];
  #window = DEFAULT_WINDOW;

  constructor(output: Output, peer: PeerSettings) {
    this.output = output;
    this.#peer = peer;
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** How many of `wanted` bytes may go in a frame now; 0 when one must wait for room or the connection's window. */
  allowance(wanted: number): number {
    const { room } = this.output;
    if (room < wanted && room < MIN_ROOM) return 0;
    return Math.min(wanted, this.#window, this.#peer.frameBytes, room);
  }

  /** A frame of `bytes` was written. */
  spend(bytes: number): void {
    this.frames++;
    this.#window -= bytes;
  }

  /** `sender` waits for its turn. */
  park(sender: Sender): void {
    this.#waiting.push(sender);
  }

  /** The peer granted more for the connection. */
  grow(increment: number): void {
    if (!canGrow(this.#window, increment)) {
      throw new ConnectionError(REASON.FLOW_CONTROL_ERROR, "the connection's window grew too far");
    }
    this.#window += increment;
    this.run();
  }

  /** Something came free: everybody who waits gets a turn while it lasts. */
  run(): void {
    while (this.#waiting.length > 0 && this.#window > 0 && this.output.room >= MIN_ROOM) {
      this.#waiting.shift()!.resume();
    }
  }
}
