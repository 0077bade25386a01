// Steady load from keep-alive clients, with the fate of every single request.
import { type Message, statusOf, Wire } from "./wire.ts";

/** What became of one request. */
export interface Fate {
  readonly id: string;
  /** 0 when no whole response came. */
  readonly status: number;
  /** The error, or the body of a response other than 2xx. */
  readonly detail: string;
}

export interface LoadOptions {
  readonly port: number;
  readonly clients: number;
  /** The request, which names `id` somewhere. */
  readonly request: (id: string) => string;
}

/** Clients that send one request after the other, each on its own connection, until `stop`. */
export class Load {
  readonly fates: Fate[] = [];
  readonly #options: LoadOptions;
  readonly #clients: Promise<void[]>;
  #isStopping = false;

  constructor(options: LoadOptions) {
    this.#options = options;
    const clients = Array.from({ length: options.clients }, (_, index) => this.#client(index));
    this.#clients = Promise.all(clients);
  }

  /** Resolves when every client has had its last answer. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#clients;
  }

  /** A client that meets a closed port has nothing more to do: nobody accepts its requests. */
  async #client(index: number): Promise<void> {
    let wire: Wire | undefined;
    for (let turn = 0; !this.#isStopping; turn++) {
      const id = `${index}-${turn}`;
      try {
        wire ??= await Wire.dial(this.#options.port);
      } catch {
        return;
      }
      const fate = await this.#request(wire, id);
      this.fates.push(fate.fate);
      if (!fate.isKept) {
        wire.close();
        wire = undefined;
      }
    }
    wire?.close();
  }

  async #request(wire: Wire, id: string): Promise<{ fate: Fate; isKept: boolean }> {
    try {
      const message = await wire.exchange(this.#options.request(id));
      const isKept = message.fields.get("connection") !== "close";
      return { fate: { id, status: statusOf(message), detail: detailOf(message) }, isKept };
    } catch (error) {
      return { fate: { id, status: 0, detail: String(error) }, isKept: false };
    }
  }
}

function detailOf(message: Message): string {
  return statusOf(message) < 300 ? "" : message.body;
}
