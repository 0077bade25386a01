// An Http1ServerConnection between a client made of memory and a handler made by the test.
import { rescue, toProxyError } from "../../sidecar/proxy/rescue.ts";
import { FieldList } from "../../sidecar/http/fields.ts";
import type { Handler, Incoming, Outcome, Response } from "../../sidecar/http/message.ts";
import { Http1ServerConnection, type ServerLimits } from "../../sidecar/http1/server_connection.ts";
import { LIMITS } from "./http1_cases/case.ts";
import { MemoryTransport, quiet } from "./memory_transport.ts";
import { type PushBody, responseOf } from "./messages.ts";

export const SERVER_LIMITS: ServerLimits = {
  ...LIMITS,
  headBytes: 4096,
  headTimeoutMs: 10_000,
  idleTimeoutMs: 60_000,
  tunnelIdleTimeoutMs: 3_600_000,
};

export type Respond = (incoming: Incoming) => Response | Promise<Response>;

export class ServerTest implements Handler {
  readonly transport = new MemoryTransport();
  readonly connection: Http1ServerConnection;
  /** Every exchange that was handed over, in order. */
  readonly incoming: Incoming[] = [];
  readonly outcomes: Outcome[] = [];
  /** Messages of what was no request. */
  readonly refusals: string[] = [];
  isOver = false;
  readonly #respond: Respond;

  constructor(
    respond: Respond = ({ request }) => responseOf(`${request.method} ${request.target}`),
    limits: Partial<ServerLimits> = {},
  ) {
    this.#respond = respond;
    this.connection = new Http1ServerConnection(this.transport, this, {
      ...SERVER_LIMITS,
      ...limits,
    });
    this.connection.serve().then(() => this.isOver = true);
  }

  handle(incoming: Incoming): Response | Promise<Response> {
    this.incoming.push(incoming);
    return this.#respond(incoming);
  }

  finished(incoming: Incoming, outcome: Outcome): void {
    if (incoming !== this.incoming[this.outcomes.length]) throw new Error("finished out of order");
    this.outcomes.push(outcome);
  }

  refuse(error: Error): Response {
    this.refusals.push(error.message);
    return rescue(toProxyError(error));
  }

  get targets(): string[] {
    return this.incoming.map(({ request }) => request.target);
  }

  /** The client sends, and gets to read what comes of it. */
  async send(data: string): Promise<string> {
    this.transport.send(data);
    return await this.answer();
  }

  /** What came back since the last time, once nothing moves any more. */
  async answer(): Promise<string> {
    await quiet(this.transport);
    return this.transport.take();
  }

  /** The client is done: it closes, and the connection must be over with nothing left open. */
  async hangUp(): Promise<void> {
    this.transport.end();
    await quiet(this.transport);
    if (!this.isOver || !this.transport.isClosed) throw new Error("the connection is still there");
    if (this.outcomes.length !== this.incoming.length) throw new Error("an exchange is unfinished");
  }

  /** Sweeps at each of these times. */
  async sweep(...times: readonly number[]): Promise<string> {
    for (const time of times) {
      await quiet(this.transport);
      this.connection.sweep(time);
      await quiet(this.transport);
    }
    return this.transport.take();
  }
}

/** Answers with `body`, which breaks when its exchange is called off. */
export function streaming(body: PushBody): Respond {
  return ({ cancellation }) => {
    cancellation.onCancel((reason) => void body.give(reason));
    return { status: 200, headers: new FieldList(), body };
  };
}

/** The responses in `text`, each as its status line and its body; they must say their length. */
export function responsesIn(text: string): string[] {
  const found: string[] = [];
  while (text !== "") {
    const end = text.indexOf("\r\n\r\n");
    const length = /\r\ncontent-length: (\d+)\r\n/i.exec(text.slice(0, end + 2))?.[1];
    if (end < 0 || length === undefined) throw new Error(`no response: ${JSON.stringify(text)}`);
    const bodyEnd = end + 4 + Number(length);
    found.push(`${text.slice(9, text.indexOf("\r\n"))}|${text.slice(end + 4, bodyEnd)}`);
    text = text.slice(bodyEnd);
  }
  return found;
}
