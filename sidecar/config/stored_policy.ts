// The policy of a service out of its two documents in etcd.
import type { Policy } from "./bootstrap.ts";
import type { Environment } from "./environment.ts";
import { parseMergedPolicy, parsePolicy } from "./load.ts";

/** Texts; undefined: there is no such document. */
export interface StoredPolicy {
  /** What stands beneath the policies of all services. */
  readonly base: string | undefined;
  readonly own: string | undefined;
}

/** Messages name a document by its key. Throws ConfigError with every problem. */
export function parseDocuments(
  { base, own }: StoredPolicy,
  { prefix, service }: { readonly prefix: string; readonly service: string },
  environment: Environment,
): Policy {
  const [baseFile, ownFile] = ["_default", service].map((name) => `${prefix}/policy/${name}`);
  if (base !== undefined && own !== undefined) {
    const [below, above] = [{ text: base, file: baseFile! }, { text: own, file: ownFile! }];
    return parseMergedPolicy(below, above, environment);
  }
  if (own !== undefined) return parsePolicy(own, ownFile!, environment);
  return parsePolicy(base ?? "{}", baseFile!, environment);
}
