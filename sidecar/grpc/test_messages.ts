// Bodies and messages for the tests of this folder.
import type { Body } from "../http/body.ts";
import { FieldList, type Fields } from "../http/fields.ts";
import { utf8Bytes } from "../lib/bytes.ts";
import { encodeMessage } from "./framing.ts";

/** Gives its pieces one by one with a pull between, and spoils each once the next is asked for, as real bodies do. */
export class PiecesBody implements Body {
  readonly length = undefined;
  readonly #pieces: (Uint8Array | Error)[];
  readonly #trailers: Fields | undefined;
  #current: Uint8Array | undefined;
  #isReady = false;
  #state: "open" | "ended" | "cancelled" = "open";

  /** An Error among the pieces is what the sender breaks off with. */
  constructor(pieces: readonly (Uint8Array | Error)[], trailers?: Fields) {
    this.#pieces = pieces.map((piece) => piece instanceof Error ? piece : piece.slice());
    this.#trailers = trailers;
  }

  get isEnded(): boolean {
    return this.#state !== "open";
  }

  get isCancelled(): boolean {
    return this.#state === "cancelled";
  }

  /** Pieces nobody asked for yet. */
  get left(): number {
    return this.#pieces.length;
  }

  get trailers(): Fields | undefined {
    return this.#state === "ended" ? this.#trailers : undefined;
  }

  take(): Uint8Array | null | undefined {
    this.#spoil();
    if (this.isEnded) return null;
    if (!this.#isReady) return undefined;
    this.#isReady = false;
    const piece = this.#pieces.shift();
    if (piece === undefined) {
      this.#state = "ended";
      return null;
    }
    if (piece instanceof Error) throw piece;
    return this.#current = piece;
  }

  whole(): undefined {
    return undefined;
  }

  pull(): Promise<void> {
    this.#spoil();
    const [next] = this.#pieces;
    if (next instanceof Error) {
      this.#state = "ended";
      return Promise.reject(next);
    }
    this.#isReady = true;
    return Promise.resolve();
  }

  cancel(): void {
    if (this.#state === "open") this.#state = "cancelled";
  }

  #spoil(): void {
    this.#current?.fill(0xee);
    this.#current = undefined;
  }
}

/** `bytes` in pieces of `size`. */
export function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return pieces;
}

/** `bytes` in two pieces, cut at `at`. */
export function cutAt(bytes: Uint8Array, at: number): Uint8Array[] {
  return [bytes.subarray(0, at), bytes.subarray(at)].filter((piece) => piece.length > 0);
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Framed messages in a row. */
export function framed(...messages: readonly Uint8Array[]): Uint8Array {
  return concat(messages.map((message) => encodeMessage(message)));
}

/** Everything of a body. Throws what reading it throws. */
export async function bytesOf(body: Body): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const chunk = body.take();
    if (chunk === null) return concat(parts);
    if (chunk === undefined) await body.pull();
    else parts.push(chunk.slice());
  }
}

const decoder = new TextDecoder();

/** Everything of a body as UTF-8. */
export async function utf8Of(body: Body): Promise<string> {
  return decoder.decode(await bytesOf(body));
}

export function utf8Body(text: string, size = Infinity): PiecesBody {
  const bytes = utf8Bytes(text);
  return new PiecesBody(cut(bytes, Math.min(size, Math.max(bytes.length, 1))));
}

export function trailersOf(status: number, more: Readonly<Record<string, string>> = {}): Fields {
  return FieldList.of({ "grpc-status": String(status), ...more });
}
