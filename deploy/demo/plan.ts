// Which processes make the demo, as its configuration files say: three services, their sidecars, and the gateway.
// The files are the one place of names and ports.
import { join } from "node:path";
import { parse, stringify } from "yaml";
import type { Address, Bootstrap } from "../../sidecar/config/bootstrap.ts";
import { parseBootstrap } from "../../sidecar/config/load.ts";
import { ROOT } from "../build/bundle.ts";

/** A port that the demo needs, and what for. */
export interface Port {
  readonly address: Address;
  readonly purpose: string;
}

/** One process of the demo. */
export interface Program {
  /** `gateway`, `user-sidecar`, `user-service` ... */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Besides what every process gets. */
  readonly env: Readonly<Record<string, string>>;
  readonly ports: readonly Port[];
}

/** One row of the table that people see. */
export interface Member {
  readonly name: string;
  readonly sidecar: Program;
  /** Absent beside the gateway. */
  readonly service?: Program;
  readonly config: Bootstrap;
}

export interface Plan {
  readonly gateway: Member;
  /** user, order, payment. */
  readonly members: readonly Member[];
  /** Policies that are kept in etcd where that is the source of policy: the files they are first put there from. */
  readonly policies: readonly PolicyFile[];
}

export interface PolicyFile {
  readonly service: string;
  readonly file: string;
}

export interface PlanOptions {
  /** What ${JWT_SECRET} stands for in the configuration. */
  readonly jwtSecret: string;
  /** Address of the Consul agent that is the registry in place of files. */
  readonly consul?: string | undefined;
  /** Address of the etcd that policy comes from in place of the files. */
  readonly etcd?: string | undefined;
}

/** The executable that buildSidecar makes. */
export const SIDECAR = join(ROOT, "dist", "sidecar");

/** Where the configuration of a member stands, seen from the root. */
export function configFile(name: string): string {
  return `deploy/demo/${name}.yaml`;
}

/** Where files are written that the demo makes from the committed ones. */
const MADE = ".mesh/demo";

/** The configuration of a member with Consul or etcd in it: a file of its own, made from the one that is committed. */
async function adaptedFile(
  name: string,
  { consul, etcd }: PlanOptions,
): Promise<{ readonly file: string; readonly policy?: PolicyFile }> {
  const { policy, ...document } = parse(await Deno.readTextFile(join(ROOT, configFile(name))));
  await Deno.mkdir(join(ROOT, MADE), { recursive: true });
  const write = async (file: string, value: unknown) => {
    await Deno.writeTextFile(join(ROOT, file), stringify(value));
    return file;
  };
  if (consul !== undefined) {
    // Quicker than the default of 10 s, so that one can watch a sidecar go and come back.
    document.registry = { consul: { address: consul, check: { interval: "1s", timeout: "1s" } } };
  }
  const file = `${MADE}/${name}.yaml`;
  if (etcd === undefined) return { file: await write(file, { ...document, policy }) };
  await write(file, { ...document, policySource: { etcd: { endpoints: [etcd] } } });
  if (policy === undefined) return { file };
  const policyFile = await write(`${MADE}/${name}-policy.yaml`, policy);
  return { file, policy: { service: document.service.name, file: policyFile } };
}

/** Reads the configuration. Throws ConfigError. */
export async function readPlan(options: PlanOptions): Promise<Plan> {
  const policies: PolicyFile[] = [];
  const read = (name: string) => readMember(name, options, policies);
  const gateway = await read("gateway");
  const members = await Promise.all(["user", "order", "payment"].map(read));
  return { gateway, members, policies };
}

/** Everything that runs; those that are called first come last. */
export function programsOf({ gateway, members }: Plan): Program[] {
  const services = members.flatMap(({ service }) => service ?? []);
  return [...services, ...members.map(({ sidecar }) => sidecar), gateway.sidecar];
}

async function readMember(
  name: string,
  options: PlanOptions,
  policies: PolicyFile[],
): Promise<Member> {
  const isAsCommitted = options.consul === undefined && options.etcd === undefined;
  const { file, policy } = isAsCommitted
    ? { file: configFile(name), policy: undefined }
    : await adaptedFile(name, options);
  if (policy !== undefined) policies.push(policy);
  const text = await Deno.readTextFile(join(ROOT, file));
  const variables: Record<string, string> = { JWT_SECRET: options.jwtSecret };
  const config = parseBootstrap(text, file, (variable) => variables[variable]);
  const sidecar = sidecarProgram(name, file, { config, options });
  const { http, grpc } = config.service.app ?? {};
  if (http === undefined || grpc === undefined) return { name, sidecar, config };
  return { name, sidecar, config, service: serviceProgram(name, { http, grpc }, config) };
}

/** Only the gateway signs and checks tokens, so it alone gets the secret. */
function sidecarProgram(
  name: string,
  file: string,
  { config, options }: { readonly config: Bootstrap; readonly options: PlanOptions },
): Program {
  const { listeners, gateway, service: { app } } = config;
  const { inbound, outbound, admin, health } = listeners;
  const traffic = gateway === undefined ? [] : [{ address: gateway.bind, purpose: "the edge" }];
  if (app !== undefined) {
    traffic.push({ address: inbound, purpose: "calls from other sidecars" });
    traffic.push({ address: outbound, purpose: `calls from the ${name} service` });
  }
  return {
    name: gateway === undefined ? `${name}-sidecar` : name,
    command: SIDECAR,
    args: ["run", "--config", file],
    env: gateway === undefined ? {} : { JWT_SECRET: options.jwtSecret },
    ports: [
      ...traffic,
      { address: admin, purpose: "admin" },
      { address: health, purpose: "health" },
    ],
  };
}

/** Where a service of the demo listens; each speaks both. */
interface ServiceAddresses {
  readonly http: Address;
  readonly grpc: Address;
}

/** The permissions that the head of services/NAME/main.ts asks for; flags, because HOST or PORT may mean something here. */
function serviceProgram(
  name: string,
  { http, grpc }: ServiceAddresses,
  config: Bootstrap,
): Program {
  const { outbound } = config.listeners;
  const callsOut = name === "order";
  // grpc-js looks for settings of its own when it loads.
  const variables = ["HOST", "PORT", "GRPC_*", "DATABASE_FILE"];
  if (callsOut) variables.push("OUTBOUND_URL");
  if (name === "user") variables.push("SEED_DEMO_PASSWORDS");
  const data = ".mesh/data";
  return {
    name: `${name}-service`,
    command: Deno.execPath(),
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--allow-net=127.0.0.1",
      `--allow-read=proto,services/${name}/migrations,${data}`,
      `--allow-write=${data}`,
      `--allow-env=${variables.join(",")}`,
      `services/${name}/main.ts`,
      `--host=${http.host}`,
      `--port=${http.port}`,
      `--grpc-port=${grpc.port}`,
      `--database-file=${data}/${name}.db`,
      ...(callsOut ? [`--outbound-url=http://${outbound.host}:${outbound.port}`] : []),
    ],
    env: {},
    ports: [
      { address: http, purpose: "its HTTP server" },
      { address: grpc, purpose: "its gRPC server" },
    ],
  };
}
