// The bytes behind a request to switch protocols (RFC 9110 7.8): there are none until the switch was granted.
import type { Body } from "../http/body.ts";
import type { WireBody } from "./wire_body.ts";

/*
 *  asked --grant--> open --end of the bytes, cancel, end--> ended
 *    '--- refuse, end ----> ended
 */
export class TunnelBody implements Body {
  readonly length = undefined;
  readonly trailers = undefined;
  readonly #decided = Promise.withResolvers<void>();
  #state: "asked" | "open" | "ended" = "asked";
  #bytes: WireBody | undefined;

  /** From now on everything on the connection belongs to the tunnel. */
  grant(bytes: WireBody): void {
    if (this.#state !== "asked") return bytes.cancel();
    this.#state = "open";
    this.#bytes = bytes;
    this.#decided.resolve();
  }

  /** It stays an exchange like any other: what follows on the connection is the next request. */
  refuse(): void {
    if (this.#state === "asked") this.end();
  }

  get isEnded(): boolean {
    return this.#state === "ended" || this.#bytes?.isEnded === true;
  }

  take(): Uint8Array | null | undefined {
    return this.#state === "ended" ? null : this.#bytes?.take();
  }

  whole(): undefined {
    return undefined;
  }

  pull(): Promise<void> {
    return this.#state === "open" ? this.#bytes!.pull() : this.#decided.promise;
  }

  /** Before the switch this is one attempt that failed: the next one asks with the same body. */
  cancel(): void {
    if (this.#state === "open") this.end();
  }

  /** Nobody will read it any more. */
  end(): void {
    this.#bytes?.cancel();
    this.#state = "ended";
    this.#decided.resolve();
  }
}
