// What pools need, with a scripted upstream behind it and a clock that stands still.
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
  connections: 10,
  pending: 10,
  connectTimeoutMs: 3000,
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
  const context = { limits: { ...LIMITS, ...limits }, timeouts, sweeper, dial: upstream.dial };
  return { clock, timeouts, upstream, context };
}
