// Rules about the section identity that no single schema can see.
import { consulAccessRules } from "./consul_rules.ts";
import { defaultOf } from "./defaults.ts";
import type { Path } from "./positions.ts";
import type { SoundSections } from "./schema/bootstrap.ts";

type Report = (path: Path, message: string) => void;
type IdentityDocument = NonNullable<SoundSections["identity"]>;

const SOURCES = ["selfSigned", "files", "consul"] as const;
const PATH = ["identity", "consul"];

export function identityRules({ identity }: SoundSections, report: Report): void {
  if (identity === undefined) return;
  const { length } = SOURCES.filter((source) => identity[source] !== undefined);
  if (length > 1) {
    const found = length === 2 ? "two sources" : "three sources";
    report(["identity"], `${found}, expected at most one of ${SOURCES.join(", ")}`);
  }
  if (identity.consul !== undefined) connectRules(identity, identity.consul, report);
}

function connectRules(
  identity: IdentityDocument,
  connect: NonNullable<IdentityDocument["consul"]>,
  report: Report,
): void {
  for (const name of ["trustDomain", "namespace"] as const) {
    if (identity[name] === defaultOf(`identity.${name}`)) continue;
    report(["identity", name], "Consul's authority names it, expected to be left out");
  }
  const { address, cache: _, ...access } = connect;
  consulAccessRules(connect, PATH, report);
  const [alone] = Object.entries(access).filter(([, value]) => value !== undefined);
  if (address !== undefined || alone === undefined) return;
  report([...PATH, alone[0]], "useless without address, expected address beside it");
}
