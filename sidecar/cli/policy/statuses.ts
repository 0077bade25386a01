// What the instances say of the newest policy, and waiting for it.
import { type InstanceStatus, isPast, statusPrefix } from "../../etcd/layout.ts";
import { type Clock, pause } from "../../lib/clock.ts";
import type { MeshStore } from "./access.ts";
import { isRecord, parseJson } from "../json.ts";

export interface Instance {
  readonly service: string;
  readonly id: string;
  readonly status: InstanceStatus;
}

const POLL_MS = 200;

/** Of one service, or of all; by service and id. */
export async function readInstances(
  { store, prefix }: MeshStore,
  service: string | undefined,
): Promise<Instance[]> {
  const values = await store.list(statusPrefix(prefix, service));
  const start = statusPrefix(prefix).length;
  return values.flatMap(({ key, text }) => {
    const [name = "", id = ""] = key.slice(start).split("/");
    const status = parseJson(text);
    return isStatus(status) ? [{ service: name, id, status }] : [];
  });
}

function isStatus(value: unknown): value is InstanceStatus {
  return isRecord(value) && typeof value.revision === "string" &&
    typeof value.accepted === "boolean" && typeof value.since === "string" &&
    (value.error === null || typeof value.error === "string");
}

export interface Verdicts {
  readonly decided: readonly Instance[];
  /** Those that still say something of an older policy; the others have this one or a newer. */
  readonly silent: readonly Instance[];
}

/** Waits until every instance has decided about the document written at `revision`; those that come and go meanwhile count too. */
export async function awaitVerdicts(
  mesh: MeshStore,
  service: string | undefined,
  revision: number,
  { ms, clock }: { readonly ms: number; readonly clock: Clock },
  isMeant: (instance: Instance) => boolean = () => true,
): Promise<Verdicts> {
  const end = clock.now() + ms;
  for (;;) {
    const instances = (await readInstances(mesh, service)).filter(isMeant);
    const decided = instances.filter(({ status }) => isPast(status, revision));
    const silent = instances.filter(({ status }) => !isPast(status, revision));
    if (silent.length === 0 || clock.now() >= end) return { decided, silent };
    await pause(clock, POLL_MS);
  }
}
