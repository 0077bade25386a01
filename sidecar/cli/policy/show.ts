// `policy get`, `diff`, `history` and `status`: reading only.
import { policyKey } from "../../etcd/layout.ts";
import { parseArguments, refuseMore } from "../arguments.ts";
import { EXIT } from "../exit_codes.ts";
import type { Host } from "../host.ts";
import { readInput } from "../read_config.ts";
import { ACCESS_OPTIONS, type MeshStore, withMeshStore } from "./access.ts";
import { revisionOption, serviceAndFile, serviceOf } from "./arguments.ts";
import { readHistory } from "./history.ts";
import { table } from "../terminal.ts";
import { difference } from "./difference.ts";
import { readInstances } from "./statuses.ts";

const JSON_OPTION = { json: { type: "boolean", default: false } } as const;

interface Document {
  readonly revision: number;
  readonly text: string;
}

export async function getPolicy(args: readonly string[], host: Host): Promise<number> {
  const { values, positionals: [name, ...more] } = parseArguments(args, {
    ...ACCESS_OPTIONS,
    ...JSON_OPTION,
    revision: { type: "string" },
  });
  const { json, revision, ...access } = values;
  const service = serviceOf(name);
  refuseMore(more);
  const wanted = revision === undefined ? undefined : revisionOption(revision);
  return await withMeshStore(access, host, async (mesh) => {
    const document = await read(mesh, service, wanted);
    if (document === undefined) return missing(service, wanted, host);
    host.out(json ? `${JSON.stringify({ service, ...document }, null, 2)}\n` : document.text);
    return EXIT.ok;
  });
}

export async function diffPolicy(args: readonly string[], host: Host): Promise<number> {
  const { values, positionals } = parseArguments(args, {
    ...ACCESS_OPTIONS,
    revision: { type: "string" },
  });
  const { revision, ...access } = values;
  const { service, file } = serviceAndFile(positionals);
  const wanted = revision === undefined ? undefined : revisionOption(revision);
  const text = file === "-" ? await host.readStdin() : await readInput(file, host);
  return await withMeshStore(access, host, async (mesh) => {
    const document = await read(mesh, service, wanted);
    if (document === undefined && wanted !== undefined) return missing(service, wanted, host);
    const before = document === undefined
      ? { name: "nothing", text: "" }
      : { name: `revision ${document.revision}`, text: document.text };
    const found = difference(before, { name: file, text }, host);
    host.out(found);
    return found === "" ? EXIT.ok : EXIT.different;
  });
}

export async function showHistory(args: readonly string[], host: Host): Promise<number> {
  const { values, positionals: [name, ...more] } = parseArguments(args, {
    ...ACCESS_OPTIONS,
    ...JSON_OPTION,
  });
  const { json, ...access } = values;
  const service = serviceOf(name);
  refuseMore(more);
  return await withMeshStore(access, host, async (mesh) => {
    const versions = await readHistory(mesh, service);
    if (json) {
      const entries = versions.map(({ key: _, ...entry }) => entry);
      host.out(`${JSON.stringify(entries, null, 2)}\n`);
      return EXIT.ok;
    }
    const rows = versions.map(({ revision, time, author, message, text }) => [
      String(revision),
      time,
      author,
      text === null ? "deleted" : `${text.split("\n").length} lines`,
      message,
    ]);
    host.out(table([["REVISION", "TIME", "AUTHOR", "DOCUMENT", "MESSAGE"], ...rows]));
    return EXIT.ok;
  });
}

export async function showStatus(args: readonly string[], host: Host): Promise<number> {
  const { values, positionals: [name, ...more] } = parseArguments(args, {
    ...ACCESS_OPTIONS,
    ...JSON_OPTION,
  });
  const { json, ...access } = values;
  const service = name === undefined ? undefined : serviceOf(name);
  refuseMore(more);
  return await withMeshStore(access, host, async (mesh) => {
    const instances = await readInstances(mesh, service);
    if (json) {
      const entries = instances.map(({ service, id, status }) => ({ service, id, ...status }));
      host.out(`${JSON.stringify(entries, null, 2)}\n`);
      return EXIT.ok;
    }
    const rows = instances.map(({ service, id, status: { revision, accepted, error, since } }) => [
      service,
      id,
      revision,
      accepted ? "accepted" : "refused",
      since,
      error ?? "",
    ]);
    host.out(table([["SERVICE", "INSTANCE", "REVISION", "STATE", "SINCE", ""], ...rows]));
    return EXIT.ok;
  });
}

/** The document in force, or that of a revision. */
async function read(
  mesh: MeshStore,
  service: string,
  revision: number | undefined,
): Promise<Document | undefined> {
  const { store, prefix } = mesh;
  const { values: [current] } = await store.read([policyKey(prefix, service)]);
  if (revision === undefined || current?.revision === revision) return current && pick(current);
  const version = (await readHistory(mesh, service)).find((each) => each.revision === revision);
  const text = version?.text ?? undefined;
  return text === undefined ? undefined : { revision, text };
}

function pick({ revision, text }: Document): Document {
  return { revision, text };
}

function missing(service: string, revision: number | undefined, host: Host): number {
  const what = revision === undefined ? "no document" : `no document of revision ${revision}`;
  host.err(`sidecar: ${service}: ${what}\n`);
  return EXIT.noInput;
}
