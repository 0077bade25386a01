// How the streams of late came to their end, in bounded memory: a frame that crossed our RST_STREAM on the wire is no
// fault, while the same frame behind END_STREAM is one.
import type { Ending } from "./stream_state.ts";

/** A place for each of the last 1,024 ids of one side: as many as may be open at once and be reset together. */
const PLACES = 1024;

const ENDINGS: readonly Ending[] = ["ended", "reset-by-us", "reset-by-peer"];

/** An id has one place; a later id takes it over. */
export class ClosedStreams {
  /**
   * The ending plus 1 in the two lowest bits, and above them six bits of which of the ids that share the place it was: one is
   * taken for another only 65,536 streams later. Made when needed.
   */
  #places: Uint8Array | undefined;

  add(stream: number, ending: Ending): void {
    this.#places ??= new Uint8Array(PLACES);
    // Ids of one side differ by two at least.
    const number = stream >>> 1;
    this.#places[number % PLACES] = turnOf(number) << 2 | (ENDINGS.indexOf(ending) + 1);
  }

  /** Undefined when it was never added, or too long ago. */
  endingOf(stream: number): Ending | undefined {
    const number = stream >>> 1;
    const place = this.#places?.[number % PLACES] ?? 0;
    if (place >>> 2 !== turnOf(number)) return undefined;
    return ENDINGS[(place & 3) - 1];
  }
}

function turnOf(number: number): number {
  return Math.floor(number / PLACES) & 63;
}
