// A message body that a test feeds: what a slow or broken sender looks like to its reader.
import type { Body } from "../../sidecar/http/body.ts";
import { latin1Bytes } from "../../sidecar/lib/bytes.ts";

export class ScriptedBody implements Body {
  readonly length: number | undefined;
  readonly trailers = undefined;
  isCancelled = false;
  #chunks: (Uint8Array | null)[] = [];
  #state: "open" | "ended" | Error = "open";
  #wake = Promise.withResolvers<void>();

  /** `length` is what the sender declared. */
  constructor(length?: number) {
    this.length = length;
    this.#wake.promise.catch(() => {});
  }

  push(text: string): void {
    this.#chunks.push(latin1Bytes(text));
    this.#wake.resolve();
  }

  /** The sender is done. */
  end(): void {
    this.#chunks.push(null);
    this.#wake.resolve();
  }

  /** The sender broke off. */
  fail(error: Error): void {
    this.#state = error;
    this.#wake.reject(error);
  }

  get isEnded(): boolean {
    return this.#state === "ended" || this.isCancelled;
  }

  take(): Uint8Array | null | undefined {
    if (this.isEnded) return null;
    const chunk = this.#chunks.shift();
    if (chunk === null) this.#state = "ended";
    return chunk;
  }

  whole(): undefined {
    return undefined;
  }

  async pull(): Promise<void> {
    if (this.#chunks.length > 0 || this.isEnded) return;
    await this.#wake.promise;
    if (!(this.#state instanceof Error)) this.#wake = Promise.withResolvers();
  }

  cancel(): void {
    this.isCancelled = true;
  }
}
