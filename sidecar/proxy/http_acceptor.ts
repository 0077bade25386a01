// What a port does with connections that speak HTTP, whichever version.
import type { ProxyError } from "../errors.ts";
import type { Handler } from "../http/message.ts";
import { writeResponseHead } from "../http1/serialize.ts";
import { ByteWriter } from "../lib/byte_writer.ts";
import type { Transport } from "../net/transport.ts";
import { Downstream, type DownstreamLimits } from "./downstream.ts";
import type { Acceptor } from "./listener.ts";

export class HttpAcceptor implements Acceptor {
  readonly #handler: Handler;
  readonly #limits: DownstreamLimits;
  readonly #scheme: "http" | "https";

  /** `scheme` is how clients name what they get here. */
  constructor(handler: Handler, limits: DownstreamLimits, scheme: "http" | "https" = "http") {
    this.#handler = handler;
    this.#limits = limits;
    this.#scheme = scheme;
  }

  accept(transport: Transport): Downstream {
    return new Downstream(transport, this.#handler, {
      limits: this.#limits,
      scheme: this.#scheme,
    });
  }

  /** One small write, which an empty socket buffer always takes, and no wait for a client that may not read it. */
  refuse(transport: Transport, error: ProxyError): void {
    const response = this.#handler.refuse(error, transport.peer);
    const out = new ByteWriter(512);
    writeResponseHead(out, response, { method: "GET", version: "1.1", keepAlive: false });
    const body = response.body.take();
    if (body) out.copy(body);
    transport.write(out.view()).catch(() => {}).finally(() => transport.close());
  }
}
