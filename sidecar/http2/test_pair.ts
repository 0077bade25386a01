// A client's connection and a server's, joined in memory: what either wants to be true of whole exchanges.
import type { Handler, Incoming, Outcome, Response } from "../http/message.ts";
import { MemoryTransport, quiet } from "../../tests/support/memory_transport.ts";
import { responseOf } from "../../tests/support/messages.ts";
import { latin1Bytes } from "../lib/bytes.ts";
import { Http2ClientConnection } from "./client_connection.ts";
import { DEFAULT_HTTP2_LIMITS, type Http2Limits } from "./limits.ts";
import { Http2ServerConnection } from "./server_connection.ts";

export class Pair implements Handler {
  readonly client: Http2ClientConnection;
  readonly server: Http2ServerConnection;
  readonly outcomes = new Map<Incoming, Outcome>();
  handled = 0;
  readonly #near = new MemoryTransport();
  readonly #far = new MemoryTransport();
  readonly #respond: (incoming: Incoming) => Response | Promise<Response>;

  constructor(
    respond: (incoming: Incoming) => Response | Promise<Response>,
    limits: Partial<Http2Limits> = {},
  ) {
    this.#respond = respond;
    const all = { ...DEFAULT_HTTP2_LIMITS, ...limits };
    const events = { onFree: () => {}, onGoaway: () => {}, onClosed: () => {} };
    this.client = new Http2ClientConnection(this.#near, all, events);
    this.server = new Http2ServerConnection(this.#far, this, all, new Uint8Array());
    this.server.serve();
  }

  handle(incoming: Incoming): Response | Promise<Response> {
    this.handled++;
    return this.#respond(incoming);
  }

  finished(incoming: Incoming, outcome: Outcome): void {
    if (this.outcomes.has(incoming)) throw new Error("finished twice");
    this.outcomes.set(incoming, outcome);
  }

  refuse(error: Error): Response {
    return responseOf(error.message, 400);
  }

  /** Carries bytes to and fro until nothing moves any more. */
  async run(): Promise<void> {
    for (;;) {
      await quiet(this.#near, this.#far);
      const up = this.#near.take();
      const down = this.#far.take();
      if (up === "" && down === "") return;
      this.#far.send(latin1Bytes(up));
      this.#near.send(latin1Bytes(down));
    }
  }

  async close(): Promise<void> {
    this.client.close();
    this.server.abort();
    await quiet(this.#near, this.#far);
  }
}
