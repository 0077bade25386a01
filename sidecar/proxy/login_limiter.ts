// How often one may try to log in: a bucket for each client, and one for each name that a client tries. Not one for each
// name alone: anybody could empty that, and its owner would stay outside.
import { ProxyError } from "../errors.ts";
import { parseIp } from "../lib/ip_blocks.ts";
import { LruMap } from "../lib/lru.ts";
import { TokenBucket } from "../lib/token_bucket.ts";
import type { Exchange } from "./exchange.ts";

interface Bucket {
  readonly rate: { readonly count: number; readonly perMs: number };
  readonly burst: number;
}

export interface LoginRateLimit {
  /** For one name from one client. */
  readonly user: Bucket;
  readonly client: Bucket;
}

/** The one unused for longest is forgotten first. A client fills no more of them than its own bucket lets it. */
const MAX_BUCKETS = 20_000;
/** Of what a client says: a name that is longer is nobody's. */
const MAX_NAME_LENGTH = 256;

export class LoginLimiter {
  readonly #limit: LoginRateLimit;
  readonly #users = new LruMap<string, TokenBucket>(MAX_BUCKETS);
  readonly #clients = new LruMap<string, TokenBucket>(MAX_BUCKETS);

  constructor(limit: LoginRateLimit) {
    this.#limit = limit;
  }

  /** Throws ProxyError `rate-limited`. */
  takeOfClient(exchange: Exchange): void {
    take(this.#clients, clientOf(exchange), { limit: this.#limit.client, exchange });
  }

  /** As `takeOfClient`. `name` is whatever the client said; services tell names apart less finely than bytes do. */
  takeOfUser(exchange: Exchange, name: unknown): void {
    if (typeof name !== "string") return;
    const same = name.slice(0, MAX_NAME_LENGTH).normalize("NFKC").trim().toLowerCase();
    const key = `${clientOf(exchange)} ${same}`;
    take(this.#users, key, { limit: this.#limit.user, exchange });
  }
}

function take(
  buckets: LruMap<string, TokenBucket>,
  key: string,
  { limit: { rate, burst }, exchange }: { readonly limit: Bucket; readonly exchange: Exchange },
): void {
  const measure = { tokensPerMs: rate.count / rate.perMs, burst };
  // The moment of the exchange is as good as a reading of the clock, and costs nothing.
  const now = exchange.startedAt;
  let bucket = buckets.get(key);
  if (bucket === undefined) buckets.set(key, bucket = new TokenBucket(measure, now));
  if (bucket.take(measure, now)) return;
  const seconds = Math.max(1, Math.ceil(bucket.msUntilNext(measure) / 1000));
  throw new ProxyError("rate-limited", "too many tries to log in", {
    side: "downstream",
    fields: { "retry-after": String(seconds) },
  });
}

/** Whoever has one IPv6 address has the 2^64 beside it. */
function clientOf({ clientAddress }: Exchange): string {
  const ip = parseIp(clientAddress);
  return ip?.size === 128 ? `${(ip.bits >> 64n).toString(16)}::/64` : clientAddress;
}
