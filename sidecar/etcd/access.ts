// What it takes to reach a cluster of etcd. Types only.
import type { EtcdStore } from "./store.ts";

export interface EtcdAccess {
  /** URLs, all http or all https. */
  readonly endpoints: readonly string[];
  readonly username?: string;
  readonly password?: string;
  /** PEM, and the name that certificates must have in place of that of the endpoint. */
  readonly tls: {
    readonly ca?: string;
    readonly certificate?: string;
    readonly key?: string;
    readonly serverName?: string;
  };
}

/** Opens a connection, which is made on first use. */
export type OpenAccess = (access: EtcdAccess) => Promise<EtcdStore>;
