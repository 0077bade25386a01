// Flow control (RFC 9113 5.2, 6.9): windows that we grant, and sums of windows that we are granted.
import { MAX_31_BIT } from "./frame.ts";

/**
 * Bytes that a peer may still send us. What it sends is on loan until its reader took it: `received` takes from the
 * window, `returned` gives back, and every byte received must be returned once.
 */
export class ReceiveWindow {
  readonly size: number;
  #available: number;
  /** Returned and not announced yet. */
  #unannounced = 0;

  /** `granted` is what the peer believes to begin with, where that is more. */
  constructor(size: number, granted = size) {
    this.size = size;
    this.#available = Math.max(size, granted);
  }

  /** False: the peer sent more than it was granted. */
  received(bytes: number): boolean {
    this.#available -= bytes;
    return this.#available >= 0;
  }

  /** Bytes to announce by WINDOW_UPDATE now; 0 until half the window has gathered, so that updates stay few. */
  returned(bytes: number): number {
    this.#unannounced += bytes;
    if (this.#unannounced * 2 < this.size || this.#unannounced === 0) return 0;
    const increment = this.#unannounced;
    this.#unannounced = 0;
    this.#available += increment;
    return increment;
  }
}

/** Whether a window may grow by `increment` (6.9.1). */
export function canGrow(window: number, increment: number): boolean {
  return window + increment <= MAX_31_BIT;
}
