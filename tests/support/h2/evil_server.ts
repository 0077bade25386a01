// An HTTP/2 upstream that answers frames as the test says, also with what no honest server would send. Without a word about
// a path it answers 200 and `METHOD PATH` behind the request's body.
import { type Pair, response } from "./block.ts";
import { bytes, end, headers, OPEN, type Setting, WHOLE } from "./frames.ts";
import { H2Peer } from "./peer.ts";

/** Longer than a test takes. */
const PATIENCE_MS = 60_000;

export interface EvilRequest {
  /** Which connection it came on, from 1. */
  readonly connection: number;
  readonly stream: number;
  readonly method: string;
  readonly path: string;
  readonly fields: readonly Pair[];
}

/** Answers a request whose head is there. What comes after waits for it. */
export type EvilScript = (peer: H2Peer, request: EvilRequest) => Promise<void>;

export interface Greeting {
  readonly settings?: readonly Setting[];
  /** What comes in place of the settings. */
  readonly bytes?: Uint8Array;
}

export class EvilServer implements AsyncDisposable {
  /** Every request in the order they came. */
  readonly requests: EvilRequest[] = [];
  readonly peers: H2Peer[] = [];
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #scripts = new Map<string, EvilScript>();
  readonly #served: Promise<H2Peer>[] = [];
  readonly #accepting: Promise<void>;
  #greeting: Greeting = {};

  constructor() {
    this.#accepting = this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** How the next request of `path` is answered; those behind it are answered honestly. */
  once(path: string, script: EvilScript): void {
    this.#scripts.set(path, script);
  }

  /** What the next connection is greeted with. */
  greet(greeting: Greeting): void {
    this.#greeting = greeting;
  }

  /** Resolves when the last connection has ended. */
  async lastOver(): Promise<H2Peer> {
    const last = this.#served.at(-1);
    if (last === undefined) throw new Error("nobody connected");
    return await last;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    for (const peer of this.peers) peer.close();
    await Promise.all(this.#served);
  }

  async #accept(): Promise<void> {
    for (;;) {
      let connection: Deno.TcpConn;
      try {
        connection = await this.#listener.accept();
      } catch {
        return;
      }
      const peer = new H2Peer(connection, "server", { patienceMs: PATIENCE_MS });
      this.#served.push(this.#serve(peer, this.peers.push(peer)));
    }
  }

  async #serve(peer: H2Peer, connection: number): Promise<H2Peer> {
    const { settings = [], bytes } = this.#greeting;
    this.#greeting = {};
    const isGreeted = bytes === undefined
      ? await peer.accept(...settings)
      : await peer.greet(bytes);
    const { view } = peer;
    for (let last = 0; isGreeted;) {
      const next = () => [...view.streams].find(([id, { response }]) => id > last && response);
      if (!await peer.reaches(() => next() !== undefined)) break;
      [last] = next()!;
      await this.#answer(peer, connection, last);
    }
    peer.close();
    return peer;
  }

  async #answer(peer: H2Peer, connection: number, stream: number): Promise<void> {
    const view = peer.view.stream(stream);
    const [method = "", path = ""] = [view.get(":method"), view.get(":path")];
    const request = { connection, stream, method, path, fields: view.response ?? [] };
    this.requests.push(request);
    const script = this.#scripts.get(path);
    this.#scripts.delete(path);
    if (script !== undefined) await script(peer, request);
    else if (await peer.reaches(() => view.isOver)) await peer.send(honest(request));
  }
}

function honest({ stream, method, path }: EvilRequest): Uint8Array {
  if (method === "HEAD") return headers(stream, response("200"), WHOLE);
  return bytes(headers(stream, response("200"), OPEN), end(stream, `${method} ${path}`));
}
