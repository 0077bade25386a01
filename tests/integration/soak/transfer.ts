// One side of a transfer on a raw connection: heads in a fixed small form, bodies with a length, checksums on the way.
import { crc32 } from "node:zlib";
import { CHUNK_BYTES, type Patterns, TRANSFER_BYTES } from "./pattern.ts";

const MAX_HEAD_BYTES = 4096;

/** A connection with the bytes read ahead of a body. */
export class TransferConnection {
  readonly #connection: Deno.Conn;
  readonly #buffer: Uint8Array<ArrayBuffer>;
  #ahead: Uint8Array = new Uint8Array();

  constructor(connection: Deno.Conn) {
    this.#connection = connection;
    this.#buffer = new Uint8Array(CHUNK_BYTES);
  }

  /** Null when the connection ends before one begins. */
  async readHead(): Promise<string | null> {
    const decoder = new TextDecoder();
    let length = 0;
    for (;;) {
      const count = await this.#connection.read(this.#buffer.subarray(length));
      if (count === null && length === 0) return null;
      if (count === null || length > MAX_HEAD_BYTES) throw new Error("no whole head came");
      length += count;
      const head = decoder.decode(this.#buffer.subarray(0, Math.min(length, MAX_HEAD_BYTES)));
      const end = head.indexOf("\r\n\r\n"); // heads are ASCII: characters are bytes
      if (end < 0) continue;
      this.#ahead = this.#buffer.slice(end + 4, length);
      return head.slice(0, end);
    }
  }

  /** The checksum of the `bytes` that come next. */
  async receive(bytes: number): Promise<number> {
    let sum = crc32(this.#ahead);
    let left = bytes - this.#ahead.length;
    this.#ahead = new Uint8Array();
    while (left > 0) {
      const count = await this.#connection.read(this.#buffer);
      if (count === null) throw new Error(`the connection ended ${left} bytes early`);
      sum = crc32(this.#buffer.subarray(0, count), sum);
      left -= count;
    }
    return sum;
  }

  async readText(bytes: number): Promise<string> {
    let text = new TextDecoder().decode(this.#ahead);
    this.#ahead = new Uint8Array();
    while (text.length < bytes) {
      const count = await this.#connection.read(this.#buffer);
      if (count === null) throw new Error("the connection ended within a text");
      text += new TextDecoder().decode(this.#buffer.subarray(0, count));
    }
    return text;
  }

  async send(text: string): Promise<void> {
    await this.#writeAll(new TextEncoder().encode(text));
  }

  /** The whole transfer of `client`. */
  async sendPattern(patterns: Patterns, client: number): Promise<void> {
    for (let at = 0; at < TRANSFER_BYTES; at += CHUNK_BYTES) {
      await this.#writeAll(patterns.chunk(client, at));
    }
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    while (bytes.length > 0) bytes = bytes.subarray(await this.#connection.write(bytes));
  }
}

/** The value of a field whose name is given in lower case. */
export function fieldOf(head: string, name: string): string | undefined {
  return head.split("\r\n").slice(1).map((line) => line.split(": "))
    .find(([key]) => key?.toLowerCase() === name)?.[1];
}
