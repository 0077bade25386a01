// Which etcd a command means: the one of a bootstrap file, or what its options say.
import { DEFAULTS } from "../../config/defaults.ts";
import {
  ETCD_ENDPOINT,
  ETCD_ENDPOINT_PATTERN,
  ETCD_PREFIX,
  ETCD_PREFIX_PATTERN,
} from "../../config/patterns.ts";
import { ConfigError } from "../../errors.ts";
import type { EtcdAccess } from "../../etcd/access.ts";
import { EtcdError } from "../../etcd/errors.ts";
import type { EtcdStore } from "../../etcd/store.ts";
import { UsageError } from "../errors.ts";
import { EXIT } from "../exit_codes.ts";
import type { Host } from "../host.ts";
import { problemLines, readBootstrap, readInput } from "../read_config.ts";

export const ACCESS_OPTIONS = {
  config: { type: "string" },
  etcd: { type: "string" },
  prefix: { type: "string" },
  username: { type: "string" },
  ca: { type: "string" },
  certificate: { type: "string" },
  key: { type: "string" },
  "server-name": { type: "string" },
} as const;

export const ACCESS_HELP =
  `  --config FILE      a bootstrap file whose policySource.etcd says where etcd is; or else:
  --etcd URL[,URL]   members of etcd; default http://127.0.0.1:2379
  --prefix PATH      what all keys begin with; default /mesh
  --username NAME    user of etcd; the password stands in the variable ETCD_PASSWORD
  --ca FILE          PEM file of the authorities that signed etcd's certificates
  --certificate FILE, --key FILE
                     PEM files of a client certificate
  --server-name NAME name in etcd's certificate, where URL has an address
`;

type Values = Readonly<Partial<Record<keyof typeof ACCESS_OPTIONS, string>>>;

/** An open etcd, and where in it the mesh is. */
export interface MeshStore {
  readonly store: EtcdStore;
  readonly prefix: string;
}

/** Runs `work` with an open etcd. Throws UsageError and InputError; what etcd or the bootstrap file refuses is told here. */
export async function withMeshStore(
  values: Values,
  host: Host,
  work: (mesh: MeshStore) => Promise<number>,
): Promise<number> {
  try {
    const { access, prefix } = await placeOf(values, host);
    const store = await host.openEtcd(access);
    try {
      return await work({ store, prefix });
    } finally {
      store.close();
    }
  } catch (error) {
    if (error instanceof ConfigError) {
      host.err(problemLines(error));
      return EXIT.configuration;
    }
    if (!(error instanceof EtcdError)) throw error;
    host.err(`sidecar: ${error.message}\n`);
    return EXIT.unavailable;
  }
}

interface Place {
  readonly access: EtcdAccess;
  readonly prefix: string;
}

async function placeOf(values: Values, host: Host): Promise<Place> {
  const { config, ...others } = values;
  if (config === undefined) return await placeOfOptions(others, host);
  const other = Object.keys(others).find((name) => others[name as keyof typeof others]);
  if (other !== undefined) throw new UsageError(`--config and --${other}, expected one of the two`);
  const { policySource } = await readBootstrap(config, host);
  if (policySource.kind !== "etcd") {
    throw new UsageError(`${config} has no policySource.etcd, expected a file that has`);
  }
  const { prefix, tls, ...access } = policySource;
  return { prefix, access: { ...access, tls: await readTls(tls, host) } };
}

async function placeOfOptions(values: Omit<Values, "config">, host: Host): Promise<Place> {
  const { etcd, prefix = DEFAULTS["policySource.etcd.prefix"].value, username } = values;
  const { ca, certificate, key } = values;
  const endpoints = etcd?.split(",") ?? DEFAULTS["policySource.etcd.endpoints"].value;
  for (const endpoint of endpoints) check("etcd", endpoint, ETCD_ENDPOINT_PATTERN, ETCD_ENDPOINT);
  check("prefix", prefix, ETCD_PREFIX_PATTERN, ETCD_PREFIX);
  if ((certificate === undefined) !== (key === undefined)) {
    throw new UsageError("--certificate and --key go together");
  }
  if (certificate !== undefined && ca === undefined) {
    throw new UsageError("--certificate without --ca, expected both");
  }
  const password = host.environment("ETCD_PASSWORD") ?? "";
  const serverName = values["server-name"];
  const tls = await readTls({ ca, certificate, key, serverName }, host);
  return {
    prefix,
    access: { endpoints, tls, ...(username === undefined ? {} : { username, password }) },
  };
}

function check(option: string, value: string, pattern: RegExp, expected: string): void {
  if (pattern.test(value)) return;
  throw new UsageError(`--${option} ${JSON.stringify(value)}: expected ${expected}`);
}

async function readTls(
  { serverName, ...files }: Readonly<Partial<Record<keyof EtcdAccess["tls"], string | undefined>>>,
  host: Host,
): Promise<EtcdAccess["tls"]> {
  const texts: Record<string, string> = serverName === undefined ? {} : { serverName };
  for (const [name, path] of Object.entries(files)) {
    if (path !== undefined) texts[name] = await readInput(path, host);
  }
  return texts;
}
