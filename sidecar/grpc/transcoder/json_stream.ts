// The body of a streaming answer: a line of JSON a message (NDJSON), or a server-sent event a message.
// What goes wrong once it runs is its last line or event: `{"error": google.rpc.Status}`.
import type { Registry } from "@bufbuild/protobuf";
import { ProxyError } from "../../errors.ts";
import type { Fields } from "../../http/fields.ts";
import { utf8Bytes } from "../../lib/bytes.ts";
import { malformed, type MessageDecoder } from "../framing.ts";
import type { Stage } from "../mapped_body.ts";
import { GRPC } from "../status.ts";
import { type CallStatus, statusOfTrailers } from "./call_status.ts";
import type { JsonWriter } from "./json_writer.ts";
import type { TranscoderOptions } from "./options.ts";
import { statusJson } from "./status_json.ts";

/** How messages and the error at the end are set apart. */
export interface StreamFormat {
  readonly contentType: string;
  message(json: string): string;
  error(json: string): string;
}

export const NDJSON: StreamFormat = {
  contentType: "application/x-ndjson",
  message: (json) => `${json}\n`,
  error: (json) => `{"error":${json}}\n`,
};

/** Server-sent events (HTML standard 9.2). JSON has no line breaks within, so that one `data` line holds it. */
export const EVENTS: StreamFormat = {
  contentType: "text/event-stream",
  message: (json) => `data: ${json}\n\n`,
  error: (json) => `event: error\ndata: {"error":${json}}\n\n`,
};

export interface JsonStreamParts {
  readonly format: StreamFormat;
  readonly writer: JsonWriter;
  readonly registry: Registry;
  readonly options: TranscoderOptions;
}

const NOTHING = new Uint8Array();

export class JsonStream implements Stage {
  readonly trailers = undefined;
  readonly #decoder: MessageDecoder;
  readonly #parts: JsonStreamParts;
  /** JSON of a message that was read before the answer's head was made. */
  #first: string | undefined;

  constructor(decoder: MessageDecoder, first: string, parts: JsonStreamParts) {
    this.#decoder = decoder;
    this.#first = first;
    this.#parts = parts;
  }

  feed(chunk: Uint8Array): void {
    this.#decoder.feed(chunk);
  }

  next(): Uint8Array | undefined {
    const json = this.#nextJson();
    return json === undefined ? undefined : utf8Bytes(this.#parts.format.message(json));
  }

  #nextJson(): string | undefined {
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined) return first;
    const message = this.#decoder.next();
    return message === undefined ? undefined : this.#parts.writer.write(message);
  }

  end(trailers: Fields | undefined): Uint8Array {
    if (!this.#decoder.isBetween) {
      return this.fail(malformed("upstream", "the body ended within a message"));
    }
    const status = statusOfTrailers(trailers);
    return status.code === GRPC.OK ? NOTHING : this.#error(status);
  }

  fail(error: unknown): Uint8Array {
    const isMalformed = error instanceof ProxyError && error.kind === "upstream-protocol";
    return this.#error(
      isMalformed
        ? { code: GRPC.INTERNAL, message: error.message }
        : this.#parts.options.statusOfFailure(error),
    );
  }

  #error(status: CallStatus): Uint8Array {
    return utf8Bytes(this.#parts.format.error(statusJson(status, this.#parts.registry)));
  }
}
