// From a cluster and what is known of its endpoints to a picker: subsets, zones, panic, slow start, and the algorithm within.
import type { BalancerSettings, Subset } from "../../snapshot/balancer_settings.ts";
import type { Cluster, Endpoint } from "../../snapshot/snapshot.ts";
import { Maglev } from "./maglev.ts";
import type { Candidate, Load, Picker } from "./picker.ts";
import { RandomPicker } from "./random.ts";
import { RingHash } from "./ring_hash.ts";
import { RoundRobin, type Turn } from "./round_robin.ts";
import { type Part, SplitPicker } from "./split.ts";
import { leastRequest, peakEwma, TwoChoices } from "./two_choices.ts";
import { warmth, weightOf, ZONE_META } from "./weights.ts";
import { localShare, ZonePicker } from "./zones.ts";

/** What a balancer asks about one endpoint. */
export interface EndpointView {
  readonly load: Load;
  readonly isAvailable: boolean;
  /** How long it has been known. */
  readonly ageMs: number;
}

export interface BalancerContext {
  readonly viewOf: (endpoint: Endpoint) => EndpointView;
  /** Whose turn it is in the list of that name; outlives pickers. */
  readonly turnOf: (list: string) => Turn;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Where this sidecar is; undefined: nowhere in particular. */
  readonly zone: string | undefined;
}

/** The picker of a cluster as things stand. */
export function makePicker(cluster: Cluster, context: BalancerContext): Picker {
  const { endpoints, loadBalancer, subsets, split } = cluster;
  if (split === undefined) return pickerOf("", endpoints, loadBalancer, context);
  const parts = split.flatMap((each): Part[] => {
    const subset = subsets?.get(each.subset);
    const members = subset === undefined ? [] : endpoints.filter((one) => isIn(subset, one));
    if (members.length === 0) return [];
    return [{ split: each, picker: pickerOf(each.subset, members, loadBalancer, context) }];
  });
  return new SplitPicker(parts, loadBalancer.hashOn, context.random);
}

/** Whether an endpoint has all that the subset asks for. */
export function isIn({ tags, version }: Subset, endpoint: Endpoint): boolean {
  return tags.every((tag) => endpoint.tags.includes(tag)) &&
    (version === undefined || endpoint.meta["version"] === version);
}

function pickerOf(
  list: string,
  endpoints: readonly Endpoint[],
  settings: BalancerSettings,
  context: BalancerContext,
): Picker {
  const usable = usableOf(endpoints, settings, context);
  const { zone, random } = context;
  const all = algorithmOf(list, usable, settings, context);
  if (zone === undefined || !settings.isZoneAware) return all;
  const isLocal = ({ meta }: Endpoint): boolean => meta[ZONE_META] === zone;
  const local = usable.filter(isLocal);
  const share = localShare(local.length, endpoints.filter(isLocal).length);
  if (share === 0 || local.length === usable.length) return all;
  return new ZonePicker({
    local: algorithmOf(`${list} in ${zone}`, local, settings, context),
    other: algorithmOf(
      `${list} not in ${zone}`,
      usable.filter((endpoint) => !isLocal(endpoint)),
      settings,
      context,
    ),
    share,
    random,
  });
}

/** Those that are available, or all where too few are: then the trouble is more likely ours, or everybody's. */
function usableOf(
  endpoints: readonly Endpoint[],
  { panicThreshold }: BalancerSettings,
  { viewOf }: BalancerContext,
): readonly Endpoint[] {
  const available = endpoints.filter((endpoint) => viewOf(endpoint).isAvailable);
  if (available.length === endpoints.length) return endpoints;
  const isPanic = available.length === 0 || available.length < endpoints.length * panicThreshold;
  return isPanic ? endpoints : available;
}

function algorithmOf(
  list: string,
  endpoints: readonly Endpoint[],
  { algorithm, hashOn, slowStartMs }: BalancerSettings,
  { viewOf, turnOf, random }: BalancerContext,
): Picker {
  const candidates = endpoints.map((endpoint): Candidate => {
    const { load, ageMs } = viewOf(endpoint);
    return { endpoint, load, weight: weightOf(endpoint) * warmth(ageMs, slowStartMs) };
  });
  switch (algorithm) {
    case "round-robin":
      return new RoundRobin(candidates, turnOf(list));
    case "random":
      return new RandomPicker(candidates, random);
    case "least-request":
      return new TwoChoices(candidates, leastRequest, random);
    case "peak-ewma":
      return new TwoChoices(candidates, peakEwma, random);
    case "ring-hash":
      return new RingHash(candidates, hashOn, random);
    case "maglev":
      return new Maglev(candidates, hashOn, random);
  }
}
