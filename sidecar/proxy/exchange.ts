// One exchange on its way through the proxy: what was found out about it so far.
import type {
  Admission,
  Caller,
  ExchangeView,
  ListenerKind,
  Quota,
  TraceView,
} from "../filters/filter.ts";
import type { Incoming, Request, Response } from "../http/message.ts";
import type { Adapter } from "./grpc_edge.ts";
import type { Cluster, Route, Snapshot } from "../snapshot/snapshot.ts";

export class Exchange implements ExchangeView {
  readonly incoming: Incoming;
  readonly request: Request;
  readonly listener: ListenerKind;
  readonly startedAt: number;
  /** Replaced once, where a cluster is discovered by its first use. */
  snapshot: Snapshot;
  clientAddress: string;
  requestId = "";
  askedPath: string | undefined = undefined;
  route: Route | undefined = undefined;
  caller: Caller | undefined = undefined;
  quota: Quota | undefined = undefined;
  admission: Admission | undefined = undefined;
  trace: TraceView | undefined = undefined;
  upstream: string | undefined = undefined;
  endpoint: string | undefined = undefined;
  attempts = 0;
  reason: string | undefined = undefined;
  detail: string | undefined = undefined;
  /** Where the request goes: found by the listener's router. */
  cluster: Cluster | undefined = undefined;
  timeoutMs = 0;
  /** What stands between a caller that speaks no gRPC and an upstream that does. */
  adapter: Adapter | undefined = undefined;
  /** What was answered, until it is all out. */
  response: Response | undefined = undefined;
  #lease: Disposable | undefined = undefined;

  constructor(incoming: Incoming, listener: ListenerKind, snapshot: Snapshot, startedAt: number) {
    this.incoming = incoming;
    this.request = incoming.request;
    this.listener = listener;
    this.snapshot = snapshot;
    this.clientAddress = incoming.peer.host;
    this.startedAt = startedAt;
  }

  hold(lease: Disposable): void {
    this.release();
    this.#lease = lease;
  }

  /** It is over: what was held is let go. */
  release(): void {
    this.#lease?.[Symbol.dispose]();
    this.#lease = undefined;
  }
}
