// Rules about the section registry that no single schema can see.
import { isLoopback } from "./addresses.ts";
import { consulAccessRules } from "./consul_rules.ts";
import type { Path } from "./positions.ts";
import type { SoundSections } from "./schema/bootstrap.ts";
import type { RegistryDocument } from "./schema/registry.ts";

type Report = (path: Path, message: string) => void;
type ConsulDocument = NonNullable<RegistryDocument["consul"]>;

const BACKENDS = "files, static, consul";
const PATH = ["registry", "consul"];

export function registryRules(document: SoundSections, report: Report): void {
  const { registry } = document;
  if (registry === undefined) return;
  const { length } = Object.values(registry).filter((backend) => backend !== undefined);
  if (length !== 1) {
    const found = length === 0 ? "no backend" : length === 2 ? "two backends" : "three backends";
    report(["registry"], `${found}, expected exactly one of ${BACKENDS}`);
  }
  if (registry.consul === undefined) return;
  consulAccessRules(registry.consul, PATH, report);
  reachRules(registry.consul, document, report);
}

/** An agent elsewhere cannot ask a port that is open on this host alone. */
function reachRules(
  { address, check }: ConsulDocument,
  { listeners, service }: SoundSections,
  report: Report,
): void {
  if (check.mode !== "http" || address.kind === "unix" || isLoopback(address.host)) return;
  if (service?.app === undefined || listeners === undefined) return;
  if (!isLoopback(listeners.health.host)) return;
  report(
    ["listeners", "health"],
    `only this host can ask there and the agent is at ${address.host}, expected an address that ` +
      "it reaches (or registry.consul.check.mode: ttl)",
  );
}
