// Rules about how a Consul agent is spoken to, wherever a section says it.
import type { ConsulAddress } from "./bootstrap.ts";
import type { Path } from "./positions.ts";
import type { RegistryDocument } from "./schema/registry.ts";

type Access = Omit<NonNullable<RegistryDocument["consul"]>, "address"> & {
  readonly address?: ConsulAddress | undefined;
};

type AccessKeys = "address" | "token" | "tokenFile" | "ca" | "certificate" | "key";

export function consulAccessRules(
  { address, token, tokenFile, ca, certificate, key }: Pick<Access, AccessKeys>,
  path: Path,
  report: (path: Path, message: string) => void,
): void {
  if (token !== undefined && tokenFile !== undefined) {
    report([...path, "tokenFile"], "token is there already, expected only one of the two");
  }
  if ((certificate === undefined) !== (key === undefined)) {
    const [present, missing] = key === undefined ? ["certificate", "key"] : ["key", "certificate"];
    report([...path, present!], `useless alone, expected ${missing} beside it`);
  }
  const file = ca === undefined ? certificate === undefined ? key && "key" : "certificate" : "ca";
  if (file !== undefined && address !== undefined && address.kind !== "https") {
    report([...path, file], "only TLS has a use for it, expected an https:// address");
  }
}
