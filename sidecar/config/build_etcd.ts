// What the document says of etcd -> how it is reached.
import type { EtcdConfig } from "./bootstrap.ts";
import type { BootstrapDocument } from "./schema/bootstrap.ts";

type EtcdDocument = NonNullable<NonNullable<BootstrapDocument["policySource"]>["etcd"]>;

export function buildEtcd(etcd: EtcdDocument): EtcdConfig {
  const { endpoints, prefix, username, password, ca, certificate, key, serverName, cache } = etcd;
  return {
    kind: "etcd",
    endpoints,
    prefix,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(certificate === undefined ? {} : { certificate }),
      ...(key === undefined ? {} : { key }),
      ...(serverName === undefined ? {} : { serverName }),
    },
    cacheDirectory: cache.directory,
  };
}
