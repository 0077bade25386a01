// What pools need, with a scripted upstream behind it and a clock that stands still.
import { DEFAULT_HTTP2_LIMITS } from "../../sidecar/http2/limits.ts";
import { Sweeper } from "../../sidecar/lib/sweeper.ts";
import { Timeouts } from "../../sidecar/lib/timeouts.ts";
import type { PoolContext, PoolLimits } from "../../sidecar/upstream/pool.ts";
import { FakeClock } from "./fake_clock.ts";
import { ScriptedUpstream } from "./scripted_upstream.ts";

const LIMITS: PoolLimits = {
  headBytes: 65_536,
  headers: 100,
  requestLineBytes: 16_384,
  idleTimeoutMs: 60_000,
  tunnelIdleTimeoutMs: 3_600_000,
  connections: 10,
  pending: 10,
  connectTimeoutMs: 3000,
  http2: DEFAULT_HTTP2_LIMITS,
};

export interface UpstreamRig {
  readonly clock: FakeClock;
  readonly timeouts: Timeouts;
  readonly upstream: ScriptedUpstream;
  readonly context: PoolContext;
}

export function upstreamRig(limits: Partial<PoolLimits> = {}): UpstreamRig {
  const clock = new FakeClock();
  const timeouts = new Timeouts(clock);
  const upstream = new ScriptedUpstream();
  const sweeper = new Sweeper(clock);
  const context = {
    clock,
    limits: { ...LIMITS, ...limits },
    timeouts,
    sweeper,
    dial: upstream.dial,
  };
  return { clock, timeouts, upstream, context };
}
