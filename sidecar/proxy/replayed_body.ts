// The body of a request that may be sent more than once.
import { BytesBody } from "../http/body.ts";
import type { Request } from "../http/message.ts";
import { RecordedBody } from "./recorded_body.ts";
import { isRepeatable } from "./retry.ts";

/** Shorter bodies are copied into the out buffer anyway. */
const COPIED_BYTES = 16384;

export class ReplayedBody {
  readonly #request: Request;
  /** All of it, where it was there at once. */
  readonly #whole: Uint8Array | undefined;
  /** One that is still to come: many clients of gRPC send head and message in two writes. */
  readonly #recording: RecordedBody | undefined;

  constructor(request: Request) {
    this.#request = request;
    this.#whole = request.body.whole();
    if (this.#whole === undefined && isRepeatable(request)) {
      this.#recording = new RecordedBody(request.body);
    }
  }

  /** All of it, once that is known; undefined where it cannot be sent again. */
  bytes(): Uint8Array | undefined {
    return this.#whole ?? this.#recording?.recorded();
  }

  /** The request with a body of its own: one attempt must not use up another's. */
  copy(): Request {
    const whole = this.bytes();
    if (whole === undefined && this.#recording !== undefined) {
      return { ...this.#request, body: this.#recording };
    }
    if (whole === undefined || whole.length === 0) return this.#request;
    // A long one is written as it is, and a write that is cut stays under way in the runtime: its bytes must be its own.
    const bytes = whole.length < COPIED_BYTES ? whole : whole.slice();
    return { ...this.#request, body: new BytesBody(bytes) };
  }
}
