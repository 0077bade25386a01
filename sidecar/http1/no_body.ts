// The body of a response that has none.
import type { Body } from "../http/body.ts";

/**
 * The exchange ends when the response has been dealt with. Whoever deals with it again does so to nobody: the connection
 * may be in another exchange by then.
 */
export class NoBody implements Body {
  readonly length = 0;
  readonly isEnded = true;
  readonly trailers = undefined;
  #onEnd: (() => void) | undefined;

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  take(): null {
    this.cancel();
    return null;
  }

  whole(): Uint8Array {
    this.cancel();
    return NOTHING;
  }

  pull(): Promise<void> {
    return Promise.resolve();
  }

  cancel(): void {
    const onEnd = this.#onEnd;
    this.#onEnd = undefined;
    onEnd?.();
  }
}

const NOTHING = new Uint8Array();
