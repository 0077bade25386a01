// An Http2ServerConnection between a client made of frames and a handler made by the test.
import type { Handler, Incoming, Outcome, Response } from "../http/message.ts";
import { quiet } from "../../tests/support/memory_transport.ts";
import { responseOf } from "../../tests/support/messages.ts";
import { DEFAULT_HTTP2_LIMITS, type Http2Limits } from "./limits.ts";
import { Http2ServerConnection } from "./server_connection.ts";
import { TestPeer } from "./test_peer.ts";

export type Respond = (incoming: Incoming) => Response | Promise<Response>;

export class ServerTest implements Handler {
  readonly client = new TestPeer();
  readonly connection: Http2ServerConnection;
  /** Every request that was handed over, in order. */
  readonly incoming: Incoming[] = [];
  readonly outcomes: Outcome[] = [];
  readonly refusals: string[] = [];
  isOver = false;
  readonly #respond: Respond;
  readonly #finished = new Set<Incoming>();

  constructor(
    respond: Respond = ({ request }) => responseOf(`${request.method} ${request.target}`),
    limits: Partial<Http2Limits> = {},
    received = new Uint8Array(),
  ) {
    this.#respond = respond;
    const all = { ...DEFAULT_HTTP2_LIMITS, ...limits };
    this.connection = new Http2ServerConnection(this.client.transport, this, all, received);
    this.connection.serve().then(() => this.isOver = true);
  }

  /** One whose client has said hello. */
  static async open(respond?: Respond, limits?: Partial<Http2Limits>): Promise<ServerTest> {
    const server = new ServerTest(respond, limits);
    await server.client.send(server.client.preface());
    return server;
  }

  handle(incoming: Incoming): Response | Promise<Response> {
    this.incoming.push(incoming);
    return this.#respond(incoming);
  }

  finished(incoming: Incoming, outcome: Outcome): void {
    if (this.#finished.has(incoming)) throw new Error("finished twice");
    this.#finished.add(incoming);
    this.outcomes.push(outcome);
  }

  refuse(error: Error): Response {
    this.refusals.push(error.message);
    return responseOf(error.message, 431);
  }

  /** How each exchange ended, by the message of its error. */
  get endings(): (string | undefined)[] {
    return this.outcomes.map(({ error }) => error?.message);
  }

  /** The client is done: nothing may be left behind. */
  async hangUp(): Promise<void> {
    this.client.transport.end();
    await quiet(this.client.transport);
    if (!this.isOver || !this.client.transport.isClosed) {
      throw new Error("the connection is still there");
    }
    if (this.#finished.size !== this.incoming.length) throw new Error("an exchange is unfinished");
  }

  /** Sweeps at each of these times. */
  async sweep(...times: readonly number[]): Promise<string[]> {
    for (const time of times) {
      await quiet(this.client.transport);
      this.connection.sweep(time);
    }
    return await this.client.said();
  }
}
