// The plain port beside an edge with TLS: answers every request with where it is to be had by https, and nothing else.
import { ProxyError } from "../errors.ts";
import { emptyResponse, type Response } from "../http/message.ts";
import type { Exchange } from "./exchange.ts";
import type { Router } from "./pipeline.ts";
import { hostOf } from "./routers.ts";

/** A name or an IP address as it may stand in a URL; codecs let more pass (RFC 3986 allows `%` and `!` in names). */
const HOST = /^(?:(?=.{1,253}$)[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]{2,45}\])$/;

const HTTPS_PORT = 443;

export class HttpsRedirect implements Router {
  readonly #port: string;

  /** `port` is where clients reach the edge, which need not be where it listens. */
  constructor(port: number) {
    this.#port = port === HTTPS_PORT ? "" : `:${port}`;
  }

  /**
   * 308 whatever the method (RFC 9110 15.4.9): after 301 and 302 clients make a GET of a POST, and lose its body. The
   * address is made of nothing but the host that was asked for and the path, behind a slash, so it leads nowhere else.
   */
  route({ request }: Exchange): Response {
    const { form, authority, target } = request;
    if (form === "authority") {
      throw new ProxyError("not-implemented", "CONNECT is not offered here", {
        side: "downstream",
      });
    }
    const host = hostOf(authority);
    const path = form === "asterisk" ? "/" : target;
    if (!HOST.test(host) || !path.startsWith("/")) {
      const message = "bad request: no host to be found by https";
      throw new ProxyError("bad-request", message, { side: "downstream" });
    }
    const response = emptyResponse(308);
    response.headers.append("location", `https://${host}${this.#port}${path}`);
    return response;
  }
}
