// What the operator says of failures of one upstream: when to stop asking, whom to leave out, how much to bear. Types only.

/** An outcome that counts as a failure: a kind of it, or a gRPC status by its name. */
export type FailureKind =
  | "5xx"
  | "gateway-error"
  | "timeout"
  | "connect"
  | "reset"
  | "grpc"
  | GrpcFailure;

/** Statuses that speak of the service and not of the call. */
export type GrpcFailure =
  | "CANCELLED"
  | "UNKNOWN"
  | "DEADLINE_EXCEEDED"
  | "RESOURCE_EXHAUSTED"
  | "ABORTED"
  | "INTERNAL"
  | "UNAVAILABLE"
  | "DATA_LOSS";

export interface BreakerSettings {
  /** One for all endpoints, or one for each. */
  readonly scope: "cluster" | "endpoint";
  /** Failures in a row that open it. */
  readonly failureThreshold: number;
  /** Successes in a row that close it again. */
  readonly successThreshold: number;
  readonly openForMs: number;
  /** Requests at once that try it out while it is half open. */
  readonly probes: number;
  readonly failOn: readonly FailureKind[];
  /** An answer that takes longer is a failure too; absent: none is. */
  readonly slowCallMs?: number;
  /** Opens it too where so large a share of the last requests failed. */
  readonly errorRate?: {
    readonly share: number;
    readonly windowMs: number;
    readonly minRequests: number;
  };
}

/** Passive ejection of endpoints that do worse than they should. */
export interface OutlierSettings {
  /** Errors in a row: no connection, a reset, a timeout, 502 to 504, or gRPC's UNAVAILABLE. 0: not looked at. */
  readonly consecutiveErrors: number;
  /** How long the first ejection lasts; each further one that much longer, up to the most. */
  readonly baseEjectionMs: number;
  readonly maxEjectionMs: number;
  /** Of the endpoints that may be out at once; one always stays. */
  readonly maxShare: number;
  /** How often endpoints are compared. */
  readonly intervalMs: number;
  /** Out is whose success rate is so many standard deviations below the mean. */
  readonly successRate?: { readonly deviations: number; readonly minRequests: number };
  /** Out is who is so many times slower than the median. */
  readonly latency?: { readonly factor: number; readonly minRequests: number };
}

export interface LimitSettings {
  /** Of one endpoint. */
  readonly connections: number;
  /** Requests that wait for a connection of one endpoint. */
  readonly pending: number;
  /** Requests under way to all endpoints together: a bulkhead, so that one slow upstream cannot use up all that we have. */
  readonly requests: number;
  /** Retries under way at once. */
  readonly retries: number;
}

/** What is answered in place of an upstream that cannot. */
export interface FallbackSettings {
  /** After which failures. */
  readonly on: readonly FallbackCause[];
  readonly answer:
    | {
      readonly kind: "static";
      readonly status: number;
      readonly headers: ReadonlyMap<string, string>;
      readonly body: string;
    }
    | { readonly kind: "service"; readonly service: string }
    | { readonly kind: "last-good"; readonly maxAgeMs: number };
}

export type FallbackCause =
  | "breaker-open"
  | "no-endpoints"
  | "overloaded"
  | "connect"
  | "reset"
  | "timeout"
  | "5xx";

/** Active checks of endpoints by whoever calls them. */
export interface EndpointCheckSettings {
  readonly check:
    | { readonly kind: "http"; readonly path: string }
    | { readonly kind: "grpc"; readonly service: string }
    | { readonly kind: "tcp" };
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly healthyThreshold: number;
  readonly unhealthyThreshold: number;
}

/** A second attempt beside a first that is slow; the first answer of the two counts. */
export interface HedgeSettings {
  readonly afterMs: number;
}

/** Failure made to order. Shares are of the requests that have all of the headers; `*` is any value. */
export interface FaultSettings {
  readonly delay?: { readonly timeMs: number; readonly share: number };
  readonly abort?: { readonly status: number; readonly share: number };
  readonly headers: ReadonlyMap<string, string>;
}

/** Copies of a share of the requests for another service. */
export interface MirrorSettings {
  readonly to: string;
  readonly share: number;
}
