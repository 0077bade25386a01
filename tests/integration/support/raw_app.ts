// An app in the test's own process that answers with the bytes the test gives it.
import { answer, type Message, Wire } from "./wire.ts";

/** One request, and the connection to answer it on. */
export interface AppCall extends Message {
  readonly wire: Wire;
  readonly target: string;
  /** 1 for the first request of its connection. */
  readonly turn: number;
}

/** Answers by writing to the wire; closing it ends the connection. Rejections end the connection too. */
export type AppHandler = (call: AppCall) => Promise<void>;

/** Listens until disposed. It is always well: GET /health is answered without the handler. */
export class RawApp implements AsyncDisposable {
  readonly port: number;
  readonly #listener: Deno.Listener;
  readonly #handler: AppHandler;
  readonly #open = new Map<Wire, Promise<void>>();
  readonly #accepting: Promise<void>;
  #isClosed = false;

  constructor(handler: AppHandler, port = 0) {
    const listener = Deno.listen({ hostname: "127.0.0.1", port });
    this.#listener = listener;
    this.#handler = handler;
    this.port = listener.addr.port;
    this.#accepting = this.#accept(listener);
  }

  async #accept(listener: Deno.Listener): Promise<void> {
    for await (const connection of listener) {
      const wire = new Wire(connection);
      const served = this.#serve(wire).catch(() => {}).finally(() => {
        wire.close();
        this.#open.delete(wire);
      });
      this.#open.set(wire, served);
    }
  }

  async #serve(wire: Wire): Promise<void> {
    for (let turn = 1;; turn++) {
      const message = await wire.readMessage();
      if (message === null) return;
      const target = message.startLine.split(" ")[1] ?? "";
      if (target === "/health") await wire.write(answer("ok"));
      else await this.#handler({ ...message, wire, target, turn });
    }
  }

  /** May be called twice. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isClosed) this.#listener.close();
    this.#isClosed = true;
    for (const wire of this.#open.keys()) wire.close();
    await this.#accepting;
    await Promise.all(this.#open.values());
  }
}
