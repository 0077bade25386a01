// Reads the messages of a gRPC body one at a time, as far as somebody asks.
import type { Body } from "../../http/body.ts";
import { COMPRESSED, type GrpcMessage, malformed, MessageDecoder } from "../framing.ts";

export class MessageReader {
  readonly body: Body;
  /** Holds what was read behind the last message. */
  readonly decoder: MessageDecoder;

  /** `body` is the upstream's. */
  constructor(body: Body, maxBytes: number) {
    this.body = body;
    this.decoder = new MessageDecoder({ maxBytes, side: "upstream", flags: COMPRESSED });
  }

  /** The next message, valid until the next call; null at the end. Throws ProxyError, the body cancelled. */
  async next(): Promise<GrpcMessage | null> {
    try {
      return await this.#next();
    } catch (error) {
      this.body.cancel();
      throw error;
    }
  }

  async #next(): Promise<GrpcMessage | null> {
    for (;;) {
      const message = this.decoder.next();
      if (message !== undefined) return message;
      const chunk = this.body.take();
      if (chunk === undefined) await this.body.pull();
      else if (chunk !== null) this.decoder.feed(chunk);
      else if (this.decoder.isBetween) return null;
      else throw malformed("upstream", "the body ended within a message");
    }
  }
}
