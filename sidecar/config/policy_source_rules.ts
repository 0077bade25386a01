// Rules about the section policySource that no single schema can see.
import type { Path } from "./positions.ts";
import type { SoundSections } from "./schema/bootstrap.ts";

type Report = (path: Path, message: string) => void;
type EtcdDocument = NonNullable<NonNullable<SoundSections["policySource"]>["etcd"]>;

const PATH = ["policySource", "etcd"];

export function policySourceRules({ policySource, policy }: SoundSections, report: Report): void {
  if (policySource === undefined) return;
  if (policy !== undefined) {
    report(["policy"], "policySource names the policy already, expected only one of the two");
  }
  const { file, etcd } = policySource;
  if ((file === undefined) === (etcd === undefined)) {
    const found = file === undefined ? "no source" : "two sources";
    report(["policySource"], `${found}, expected exactly one of file, etcd`);
  }
  if (etcd !== undefined) etcdRules(etcd, report);
}

function etcdRules(etcd: EtcdDocument, report: Report): void {
  const { endpoints, username, password, ca, certificate, key } = etcd;
  const secure = endpoints.filter((endpoint) => endpoint.startsWith("https:")).length;
  if (secure > 0 && secure < endpoints.length) {
    report([...PATH, "endpoints"], "http and https mixed, expected one of the two for all");
  }
  nameRule(etcd, report);
  pairRule({ username, password }, PATH, report);
  pairRule({ certificate, key }, PATH, report);
  if (certificate !== undefined && ca === undefined) {
    report([...PATH, "certificate"], "useless alone, expected ca beside it");
  }
  const file = ca === undefined ? certificate === undefined ? undefined : "certificate" : "ca";
  if (file !== undefined && secure === 0) {
    report([...PATH, file], "only TLS has a use for it, expected https:// endpoints");
  }
}

/** The runtime takes no address for the name in a certificate, and the package asks for a token by that of the endpoint. */
function nameRule({ endpoints, serverName, username }: EtcdDocument, report: Report): void {
  for (const [index, endpoint] of endpoints.entries()) {
    const { protocol, hostname } = new URL(endpoint);
    const isAddress = hostname.startsWith("[") || /^[0-9.]+$/.test(hostname);
    if (protocol !== "https:" || !isAddress) continue;
    const path = [...PATH, "endpoints", index];
    if (serverName === undefined) {
      report(path, "an address, expected a name (or serverName: one in etcd's certificate)");
    } else if (username !== undefined) {
      report(path, "an address, expected a name: etcd's password is asked for by it");
    }
  }
}

function pairRule(
  pair: Readonly<Record<string, string | undefined>>,
  path: Path,
  report: Report,
): void {
  const missing = Object.keys(pair).find((name) => pair[name] === undefined);
  const present = Object.keys(pair).find((name) => pair[name] !== undefined);
  if (missing === undefined || present === undefined) return;
  report([...path, present], `useless alone, expected ${missing} beside it`);
}
