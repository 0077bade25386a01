// Ports over node:net, which TLS needs. A client that resets before it is accepted does them no harm; a lack of descriptors does, on
// Deno 2.9.3: the accept that fails is told to nobody and is the last one. So a port that hears nothing asks itself whether it
// still hears, and is opened anew where it does not.
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Clock } from "../lib/clock.ts";
import { formatAddress, type HostPort, type Listener, listenError } from "./tcp.ts";

/** An accepted connection whose first bytes are still to come. */
export interface Arrival {
  readonly socket: Socket;
  readonly peer: HostPort;
}

export interface NodeListenerOptions {
  readonly clock: Clock;
  readonly onArrival: (arrival: Arrival) => void;
  /** The port itself has trouble; it goes on. */
  readonly onError: (error: Error) => void;
}

/** Half-open, without delay, with keepalive: as in tcp.ts. Rejects with ListenError where the address cannot be had. */
export function listenNode(address: HostPort, options: NodeListenerOptions): Promise<Listener> {
  return NodePort.open(address, options);
}

/** How long a port may hear nothing before it dials itself, and how long that may take to arrive. */
const QUIET_MS = 5_000;
const ARRIVES_IN_MS = 1_000;
/** How long opening it anew rests when it fails: connections closing elsewhere free descriptors. */
const REOPEN_REST_MS = 100;

class NodePort implements Listener {
  readonly address: HostPort;
  readonly finished: Promise<void>;
  readonly #options: NodeListenerOptions;
  readonly #watch: Disposable;
  readonly #finish: () => void;
  #server: Server;
  #arrivals = 0;
  #arrivalsSeen = 0;
  #isClosed = false;
  #isExamined = false;
  #examination: Promise<void> = Promise.resolve();
  #endWait: () => void = () => {};

  private constructor(server: Server, address: HostPort, options: NodeListenerOptions) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.address = address;
    this.finished = promise;
    this.#finish = resolve;
    this.#options = options;
    this.#server = server;
    this.#take(server);
    this.#watch = options.clock.every(QUIET_MS, this.#check);
  }

  static async open(address: HostPort, options: NodeListenerOptions): Promise<NodePort> {
    const server = newServer();
    const bound = await bind(server, address);
    return new NodePort(server, bound, options);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#watch[Symbol.dispose]();
    this.#endWait();
    this.#server.close();
    void this.#examination.then(this.#finish);
  }

  #take(server: Server): void {
    server.on("error", this.#options.onError);
    server.on("connection", this.#arrived);
  }

  #arrived = (socket: Socket): void => {
    this.#arrivals++;
    // A client that is gone already has no address any more.
    const { remoteAddress, remotePort } = socket;
    if (this.#isClosed || remoteAddress === undefined || remotePort === undefined) socket.destroy();
    else this.#options.onArrival({ socket, peer: { host: remoteAddress, port: remotePort } });
  };

  #check = (): void => {
    if (this.#arrivals === this.#arrivalsSeen && !this.#isExamined) {
      this.#isExamined = true;
      this.#examination = this.#examine().finally(() => this.#isExamined = false);
    }
    this.#arrivalsSeen = this.#arrivals;
  };

  /** Opening anew while descriptors lack would only lose who waits in the kernel, and be deaf again at the next accept. */
  async #examine(): Promise<void> {
    let told: unknown;
    while (!this.#isClosed) {
      const found = await this.#probe();
      if (found === "hears") return;
      if (found === "deaf") return await this.#reopen();
      if (told === undefined) this.#options.onError(found);
      told = found;
    }
  }

  /**
   * Dials the port and leaves without a word, which is no news to who gets it. An error says why that could not be found out.
   * Looked for twice: where the loop was held up, the timer is called before the arrival that was there first.
   */
  async #probe(): Promise<"hears" | "deaf" | Error> {
    const before = this.#arrivals;
    const socket = connect({ host: reachable(this.address.host), port: this.address.port });
    let trouble: (Error & { readonly code?: string }) | undefined;
    socket.on("error", (error) => trouble = error);
    for (let look = 0; look < 2 && this.#arrivals === before; look++) {
      await this.#wait(ARRIVES_IN_MS);
    }
    socket.destroy();
    if (this.#arrivals !== before || this.#isClosed) return "hears";
    return trouble === undefined || trouble.code === "ECONNREFUSED" ? "deaf" : trouble;
  }

  /** What waits in the kernel is lost; it would have waited for ever. Tries until it is open: nothing else would open it. */
  async #reopen(): Promise<void> {
    const place = formatAddress(this.address);
    let told: unknown;
    this.#server.close();
    while (!this.#isClosed) {
      this.#server = newServer();
      try {
        await bind(this.#server, this.address);
        this.#take(this.#server);
        if (this.#isClosed) this.#server.close();
        else this.#options.onError(new Error(`${place} had stopped accepting and was opened anew`));
        return;
      } catch (error) {
        if (told === undefined) {
          this.#options.onError(error instanceof Error ? error : new Error(String(error)));
        }
        told = error;
        await this.#wait(REOPEN_REST_MS);
      }
    }
  }

  /** At most one waits at a time; closing the port ends it. */
  #wait(ms: number): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(ms, resolve);
      this.#endWait = () => {
        timer[Symbol.dispose]();
        resolve();
      };
    });
  }
}

function newServer(): Server {
  return createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true });
}

/** Resolves to the address bound, with the real port where 0 was asked for; rejects with ListenError. */
function bind(server: Server, address: HostPort): Promise<HostPort> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(listenError(address, error));
    const abandon = () => fail(new Error("closed before it was open"));
    server.once("error", fail);
    server.once("close", abandon);
    const listening = () => {
      server.off("error", fail);
      server.off("close", abandon);
      const bound = server.address();
      if (bound === null || typeof bound === "string") return fail(new Error("nothing is bound"));
      resolve({ host: bound.address, port: bound.port });
    };
    // Asked for without permission, Deno's node:net throws where nobody can catch it.
    const permission = { name: "net", host: formatAddress(address) } as const;
    if (Deno.permissions.querySync(permission).state !== "granted") {
      return fail(new Deno.errors.NotCapable(`no permission for ${permission.host}`));
    }
    server.listen({ host: address.host, port: address.port }, listening);
  });
}

/** Where to dial a port that is bound to every address. */
function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  return host === "::" ? "::1" : host;
}
