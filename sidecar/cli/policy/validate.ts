// Is a document one that instances can take? By the code that they judge it with.
import { parseDocuments } from "../../config/stored_policy.ts";
import { DEFAULT_POLICY, policyKey } from "../../etcd/layout.ts";
import type { Host } from "../host.ts";
import type { MeshStore } from "./access.ts";

/**
 * Checks `text` together with what it will be merged with: _default for the policy of a service; for _default, the
 * policies of all services. Throws ConfigError.
 */
export async function validate(
  { store, prefix }: MeshStore,
  service: string,
  text: string,
  host: Host,
): Promise<void> {
  const environment = (name: string) => host.environment(name);
  if (service !== DEFAULT_POLICY) {
    const { values: [base] } = await store.read([policyKey(prefix, DEFAULT_POLICY)]);
    parseDocuments({ base: base?.text, own: text }, { prefix, service }, environment);
    return;
  }
  parseDocuments({ base: text, own: undefined }, { prefix, service }, environment);
  const start = policyKey(prefix, "");
  for (const { key, text: own } of await store.list(start)) {
    const name = key.slice(start.length);
    if (name === DEFAULT_POLICY) continue;
    parseDocuments({ base: text, own }, { prefix, service: name }, environment);
  }
}
