// A server of nothing but our codec, as a process of its own so that its memory is its own: answers `METHOD TARGET`
// behind the request's body. Paths below /hold neither read nor answer, those below /endless never end, /bytes/N answers N
// bytes, /early does not wait for the body; /working and /resident are about itself. Prints its port; takes limits as JSON.
// deno-lint-ignore-file no-console -- its output is its interface
import { type Body, EMPTY_BODY } from "../../../sidecar/http/body.ts";
import { FieldList } from "../../../sidecar/http/fields.ts";
import {
  emptyResponse,
  type Handler,
  type Incoming,
  type Response,
  textResponse,
} from "../../../sidecar/http/message.ts";
import { DEFAULT_HTTP2_LIMITS } from "../../../sidecar/http2/limits.ts";
import { Http2ServerConnection } from "../../../sidecar/http2/server_connection.ts";
import { systemClock } from "../../../sidecar/lib/clock.ts";
import { Sweeper } from "../../../sidecar/lib/sweeper.ts";
import { listenTcp } from "../../../sidecar/net/tcp.ts";
import { rescue, toProxyError } from "../../../sidecar/proxy/rescue.ts";

const CHUNK = new Uint8Array(16_384).fill(0x78);

/** So many bytes, each chunk as soon as it is asked for. */
class Bytes implements Body {
  readonly trailers = undefined;
  #left: number;

  constructor(count: number) {
    this.#left = count;
  }

  get length(): number | undefined {
    return this.#left === Infinity ? undefined : this.#left;
  }

  get isEnded(): boolean {
    return this.#left <= 0;
  }

  take(): Uint8Array | null {
    if (this.#left <= 0) return null;
    const chunk = CHUNK.subarray(0, Math.min(CHUNK.length, this.#left));
    this.#left -= chunk.length;
    return chunk;
  }

  whole(): undefined {
    return undefined;
  }

  pull(): Promise<void> {
    return Promise.resolve();
  }

  cancel(): void {
    this.#left = 0;
  }
}

class Echo implements Handler {
  /** Handed over and not finished. */
  working = 0;

  handle(incoming: Incoming): Promise<Response> {
    this.working++;
    return this.#answer(incoming).catch((error) => rescue(toProxyError(error)));
  }

  finished(): void {
    this.working--;
  }

  refuse(error: Error): Response {
    return rescue(toProxyError(error));
  }

  async #answer({ request, cancellation }: Incoming): Promise<Response> {
    const { method, target, form, upgrade, body } = request;
    if (target === "/working") return textResponse(200, String(this.working), "text/plain");
    if (target === "/resident") {
      return textResponse(200, String(Deno.memoryUsage().rss), "text/plain");
    }
    if (target.startsWith("/hold")) {
      return await new Promise((_, reject) => cancellation.onCancel(reject));
    }
    if (target.startsWith("/endless")) return bodyOf(Infinity);
    if (target.startsWith("/bytes/")) return bodyOf(Number(target.slice(7)));
    if (target.startsWith("/early")) return textResponse(413, "enough", "text/plain");
    if (form === "authority" || upgrade !== undefined) return emptyResponse(501);
    await readAll(body);
    const response = textResponse(200, `${method} ${target}`, "text/plain");
    return method === "HEAD" ? { ...response, body: EMPTY_BODY } : response;
  }
}

async function readAll(body: Body): Promise<void> {
  for (;;) {
    const chunk = body.take();
    if (chunk === null) return;
    if (chunk === undefined) await body.pull();
  }
}

function bodyOf(count: number): Response {
  return { status: 200, headers: new FieldList(), body: new Bytes(count) };
}

function main(limits: Readonly<Record<string, number>>): void {
  const handler = new Echo();
  const sweeper = new Sweeper(systemClock);
  const listener = listenTcp({ host: "127.0.0.1", port: 0 }, (transport) => {
    const all = { ...DEFAULT_HTTP2_LIMITS, ...limits };
    const connection = new Http2ServerConnection(transport, handler, all, new Uint8Array());
    sweeper.add(connection);
    void connection.serve().finally(() => sweeper.delete(connection));
  }, (error) => console.error(error));
  console.log(listener.address.port);
}

if (import.meta.main) main(JSON.parse(Deno.args[0] ?? "{}"));
