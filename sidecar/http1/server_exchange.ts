// One request on a connection, and what becomes of it: the connection's own notes beside what its handler sees.
import type { Incoming, Interim, Peer, Request } from "../http/message.ts";
import { Cancellation } from "../lib/cancellation.ts";
import type { RequestHead } from "./request_head.ts";
import type { TunnelBody } from "./tunnel_body.ts";
import type { WireBody } from "./wire_body.ts";

/** Sends informational responses ahead of the response. */
interface InterimSink {
  sendInterim(interim: Interim): void;
}

/** One request on a connection, as its handler sees it. */
export class ServerExchange implements Incoming {
  readonly request: Request;
  readonly peer: Peer;
  readonly cancellation = new Cancellation();
  context: unknown = undefined;
  body: WireBody | undefined;
  /** What the client asked to switch to another protocol with. */
  tunnel: TunnelBody | undefined = undefined;
  keepAlive: boolean;
  isAnswered = false;
  /** Why another response was sent than the handler's. */
  failure: Error | undefined = undefined;
  readonly #interims: InterimSink;

  constructor(
    interims: InterimSink,
    request: Request,
    body: WireBody | undefined,
    peer: Peer,
    keepAlive: boolean,
  ) {
    this.#interims = interims;
    this.request = request;
    this.body = body;
    this.peer = peer;
    this.keepAlive = keepAlive;
  }

  /** The switch was granted. */
  get isTunnel(): boolean {
    return this.tunnel !== undefined && this.body !== undefined;
  }

  get isBodyRead(): boolean {
    return this.body === undefined || this.body.isComplete;
  }

  /** Behind the head of the response it would be part of the body, or of another exchange's. */
  sendInterim(interim: Interim): void {
    if (this.request.version === "1.1" && !this.isAnswered) this.#interims.sendInterim(interim);
  }
}

/** What the handler is given of a head. */
export function toRequest(
  head: RequestHead,
  headers: Request["headers"],
  body: Request["body"],
  scheme: "http" | "https",
): Request {
  const { method, form, authority, target, version, upgrade, acceptsTrailers } = head;
  return {
    method,
    form,
    scheme,
    authority,
    target,
    version,
    headers,
    body,
    upgrade,
    acceptsTrailers,
  };
}
