// google.api.HttpBody (google/api/httpbody.proto): a message that stands for an HTTP body as it is, such as an image.
import { type DescField, type DescMessage, fromBinary } from "@bufbuild/protobuf";
import { ProxyError } from "../../errors.ts";
import type { Fields } from "../../http/fields.ts";
import { COMPRESSED, type GrpcMessage, malformed, type MessageDecoder } from "../framing.ts";
import { rethrow, type Stage } from "../mapped_body.ts";
import { GRPC, grpcName } from "../status.ts";
import { statusOfTrailers } from "./call_status.ts";

const NAME = "google.api.HttpBody";
const ANY_TYPE = "application/octet-stream";
const NOTHING = new Uint8Array();

export function isHttpBody(message: DescMessage | undefined): boolean {
  return message?.typeName === NAME;
}

export interface RawBody {
  readonly contentType: string;
  /** Part of the message's bytes. */
  readonly data: Uint8Array;
}

/** HttpBody as the library decodes it. */
interface Decoded {
  readonly contentType: string;
  readonly data: Uint8Array;
}

/** Reads raw bodies out of messages that are one, or hold one in the field of response_body. */
export class RawReader {
  readonly #message: DescMessage;
  readonly #field: DescField | undefined;

  constructor(message: DescMessage, field: DescField | undefined) {
    this.#message = message;
    this.#field = field;
  }

  /** Throws ProxyError where the message is none of its type. */
  read({ flags, bytes }: GrpcMessage): RawBody {
    if ((flags & COMPRESSED) !== 0) throw malformed("upstream", "compressed without being asked");
    const body = this.#decode(bytes);
    return { contentType: body?.contentType || ANY_TYPE, data: body?.data ?? NOTHING };
  }

  #decode(bytes: Uint8Array): Decoded | undefined {
    try {
      const message: unknown = fromBinary(this.#message, bytes);
      const field = this.#field;
      if (field === undefined) return message as Decoded;
      return (message as Readonly<Record<string, Decoded | undefined>>)[field.localName];
    } catch (error) {
      throw malformed("upstream", `no ${this.#message.typeName}`, error);
    }
  }
}

/** Raw bodies one behind the other. There is no place for an error in them: a stream that ends badly breaks off. */
export class RawStream implements Stage {
  readonly trailers = undefined;
  readonly #decoder: MessageDecoder;
  readonly #reader: RawReader;
  /** What was read before the answer's head was made. */
  #first: Uint8Array | undefined;

  constructor(decoder: MessageDecoder, reader: RawReader, first: Uint8Array) {
    this.#decoder = decoder;
    this.#reader = reader;
    this.#first = first;
  }

  feed(chunk: Uint8Array): void {
    this.#decoder.feed(chunk);
  }

  next(): Uint8Array | undefined {
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined) return first;
    const message = this.#decoder.next();
    return message === undefined ? undefined : this.#reader.read(message).data;
  }

  end(trailers: Fields | undefined): Uint8Array {
    if (!this.#decoder.isBetween) throw malformed("upstream", "the body ended within a message");
    const { code, message } = statusOfTrailers(trailers);
    if (code === GRPC.OK) return NOTHING;
    throw new ProxyError("upstream-reset", `the stream ended with ${grpcName(code)}: ${message}`, {
      side: "upstream",
    });
  }

  fail(error: unknown): never {
    rethrow(error);
  }
}
