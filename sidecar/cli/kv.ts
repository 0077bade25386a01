// `sidecar kv get|set|delete|watch`: plain keys of etcd, for whatever a team keeps there besides policy.
import { pause } from "../lib/clock.ts";
import { parseArguments, refuseMore } from "./arguments.ts";
import type { Command } from "./command.ts";
import { UsageError } from "./errors.ts";
import { EXIT } from "./exit_codes.ts";
import type { Host } from "./host.ts";
import { ACCESS_HELP, ACCESS_OPTIONS, type MeshStore, withMeshStore } from "./policy/access.ts";

const HELP = `Usage: sidecar kv get    KEY
       sidecar kv set    KEY VALUE|-
       sidecar kv delete KEY
       sidecar kv watch  KEY

Plain keys of etcd. set writes the value, - that of stdin, and prints the revision. watch prints the value now and after each
change, one JSON line each, until it is interrupted; it goes on by itself when etcd comes back. Keys are taken as they are:
--prefix does not apply.

Options:
${ACCESS_HELP}  -h, --help         print this

Exit codes: 0 done, 66 there is no such key, 69 etcd is away, 75 others write the key all the time.

Example:
  sidecar kv set /config/database_url postgres://localhost/orders
`;

/** Others may write the key between reading and writing it; each try is a round trip. */
const MAX_TRIES = 20;
const RETRY_MS = 1000;

type Action = (
  mesh: MeshStore,
  key: string,
  value: string | undefined,
  host: Host,
) => Promise<number>;

const ACTIONS: Readonly<Record<string, Action>> = { get, set, delete: remove, watch };

export const kvCommand: Command = {
  help: HELP,
  async run(args, { host }) {
    const { values, positionals } = parseArguments(args, ACCESS_OPTIONS);
    const [name, key, ...more] = positionals;
    const action = name !== undefined && Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
    if (action === undefined) {
      const what = name === undefined ? "missing action" : `unknown action ${JSON.stringify(name)}`;
      throw new UsageError(`${what}, expected ${Object.keys(ACTIONS).join(", ")}`);
    }
    if (key === undefined || key === "") throw new UsageError("missing KEY");
    const value = action === set ? await valueOf(more.shift(), host) : undefined;
    refuseMore(more);
    return await withMeshStore(values, host, (mesh) => action(mesh, key, value, host));
  },
};

async function valueOf(argument: string | undefined, host: Host): Promise<string> {
  if (argument === undefined) throw new UsageError("missing VALUE, expected one, or - for stdin");
  return argument === "-" ? await host.readStdin() : argument;
}

async function get({ store }: MeshStore, key: string, _: unknown, host: Host): Promise<number> {
  const { values: [found] } = await store.read([key]);
  if (found === undefined) return missing(key, host);
  host.out(`${found.text}\n`);
  return EXIT.ok;
}

async function set(
  { store }: MeshStore,
  key: string,
  text: string | undefined,
  host: Host,
): Promise<number> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const { values: [found] } = await store.read([key]);
    const revision = await store.writeIf(key, found?.revision ?? 0, [{ key, text }]);
    if (revision === undefined) continue;
    host.out(`${revision}\n`);
    return EXIT.ok;
  }
  host.err(`sidecar: ${key}: others write it all the time; nothing was written\n`);
  return EXIT.conflict;
}

async function remove(mesh: MeshStore, key: string, _: unknown, host: Host): Promise<number> {
  const { values: [found] } = await mesh.store.read([key]);
  return found === undefined ? missing(key, host) : await set(mesh, key, undefined, host);
}

async function watch({ store }: MeshStore, key: string, _: unknown, host: Host): Promise<number> {
  const stopped = Promise.withResolvers<void>();
  using _int = host.onSignal("SIGINT", () => stopped.resolve());
  using _term = host.onSignal("SIGTERM", () => stopped.resolve());
  let isOver = false;
  void stopped.promise.then(() => isOver = true);
  let printed: number | undefined;
  while (!isOver) {
    const changed = Promise.withResolvers<void>();
    try {
      const { revision, values: [found] } = await store.read([key]);
      const newest = found?.revision ?? 0;
      if (newest !== printed) {
        host.out(`${JSON.stringify({ revision, value: found?.text ?? null })}\n`);
        printed = newest;
      }
      using _watch = store.watch([key], revision, {
        changed: () => changed.resolve(),
        ended: () => changed.resolve(),
      });
      await Promise.race([changed.promise, stopped.promise]);
    } catch (error) {
      if (printed === undefined) throw error;
      await Promise.race([pause(host.clock, RETRY_MS), stopped.promise]);
    }
  }
  return EXIT.ok;
}

function missing(key: string, host: Host): number {
  host.err(`sidecar: ${key}: there is no such key\n`);
  return EXIT.noInput;
}
