// A request as a server codec hands it over, and the exchange around it, made of what a test wants to say of them.
import type { Caller, ListenerKind } from "../../sidecar/filters/filter.ts";
import { type Body, BytesBody, EMPTY_BODY, readBody } from "../../sidecar/http/body.ts";
import { FieldList } from "../../sidecar/http/fields.ts";
import type {
  Incoming,
  Interim,
  Peer,
  Request,
  Response,
  TargetForm,
  Version,
} from "../../sidecar/http/message.ts";
import { utf8Bytes } from "../../sidecar/lib/bytes.ts";
import { Cancellation } from "../../sidecar/lib/cancellation.ts";
import { Exchange } from "../../sidecar/proxy/exchange.ts";
import type { Route, Snapshot } from "../../sidecar/snapshot/snapshot.ts";
import { fakeSnapshot } from "./fake_snapshot.ts";

/** What may be said of a request; the rest is a plain GET of `/` from 192.0.2.1. */
export interface FakeRequest {
  readonly method?: string;
  readonly form?: TargetForm;
  readonly scheme?: "http" | "https";
  readonly authority?: string;
  readonly target?: string;
  readonly version?: Version;
  /** As a record, or as pairs where a name comes twice. */
  readonly headers?: Readonly<Record<string, string>> | readonly (readonly [string, string])[];
  readonly body?: Body | string;
  readonly peer?: Peer;
}

export class FakeIncoming implements Incoming {
  readonly request: Request;
  readonly peer: Peer;
  readonly cancellation = new Cancellation();
  readonly interims: Interim[] = [];
  context: unknown = undefined;

  constructor(request: FakeRequest = {}) {
    this.request = fakeRequest(request);
    this.peer = request.peer ?? { host: "192.0.2.1", port: 40000 };
  }

  sendInterim(interim: Interim): void {
    this.interims.push(interim);
  }
}

export interface FakeExchange extends FakeRequest {
  readonly listener?: ListenerKind;
  readonly snapshot?: Snapshot;
  readonly startedAt?: number;
  readonly route?: Route;
  readonly caller?: Caller;
  readonly clientAddress?: string;
}

export function fakeExchange(about: FakeExchange = {}): Exchange {
  const incoming = new FakeIncoming(about);
  const { listener = "edge", snapshot = fakeSnapshot(), startedAt = 0 } = about;
  const exchange = new Exchange(incoming, listener, snapshot, startedAt);
  exchange.route = about.route;
  exchange.caller = about.caller;
  exchange.clientAddress = about.clientAddress ?? incoming.peer.host;
  return exchange;
}

/** As every codec does, says its authority in Host too. */
export function fakeRequest(about: FakeRequest = {}): Request {
  const { headers = {}, body = "", authority = "edge.example" } = about;
  const list = new FieldList();
  const pairs = Array.isArray(headers) ? headers : Object.entries(headers);
  for (const [name, value] of pairs) list.append(name, value);
  if (authority !== "" && !list.has("host")) list.append("host", authority);
  return {
    method: about.method ?? "GET",
    form: about.form ?? "origin",
    scheme: about.scheme ?? "http",
    authority,
    target: about.target ?? "/",
    version: about.version ?? "1.1",
    headers: list,
    body: typeof body !== "string"
      ? body
      : body === ""
      ? EMPTY_BODY
      : new BytesBody(utf8Bytes(body)),
    upgrade: undefined,
    acceptsTrailers: false,
  };
}

/** The whole body of a response as text. */
export async function bodyOf(response: Response): Promise<string> {
  const bytes = await readBody(response.body, 1024 * 1024);
  return new TextDecoder().decode(bytes!);
}
