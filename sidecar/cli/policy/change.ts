// One change of a policy from the author's hand to the instances: checked, shown, agreed to, written, acknowledged.
import { ConfigError } from "../../errors.ts";
import {
  DEFAULT_POLICY,
  type HistoryEntry,
  historyKey,
  historyPrefix,
  type InstanceStatus,
  names,
  policyKey,
} from "../../etcd/layout.ts";
import type { StoredValue, Write } from "../../etcd/store.ts";
import { UsageError } from "../errors.ts";
import { EXIT } from "../exit_codes.ts";
import type { Host } from "../host.ts";
import { problemLines } from "../read_config.ts";
import type { MeshStore } from "./access.ts";
import { type CanaryOptions, Trial } from "./canary.ts";
import { printable, table } from "../terminal.ts";
import { difference } from "./difference.ts";
import { awaitVerdicts } from "./statuses.ts";
import { validate } from "./validate.ts";

export interface Change {
  readonly service: string;
  /** The document from then on; null deletes it. */
  readonly text: string | null;
  readonly author: string;
  readonly message: string;
}

export interface ChangeOptions {
  readonly isAgreed: boolean;
  /** How long the instances may take to say what they make of it. */
  readonly waitMs: number;
  readonly canary: CanaryOptions | undefined;
}

/** History keeps this many changes of a service. */
const MAX_HISTORY = 100;
/** A longer list of keys in one transaction is refused by etcd. */
const MAX_PRUNED = 50;

/** Resolves to the exit code. Throws UsageError and EtcdError. */
export async function apply(
  change: Change,
  mesh: MeshStore,
  options: ChangeOptions,
  host: Host,
): Promise<number> {
  const { service, text } = change;
  const { values: [current] } = await mesh.store.read([policyKey(mesh.prefix, service)]);
  if ((current?.text ?? null) === text) {
    host.out(`${service}: nothing to change${current && ` at revision ${current.revision}`}\n`);
    return EXIT.ok;
  }
  if (!await isSound(change, mesh, host)) return EXIT.badData;
  host.out(difference(
    {
      name: current === undefined ? "nothing" : `revision ${current.revision}`,
      text: current?.text ?? "",
    },
    { name: text === null ? "nothing" : "new", text: text ?? "" },
    host,
  ));
  if (!options.isAgreed && !isAgreed(service, host)) {
    host.out("Nothing was written.\n");
    return EXIT.ok;
  }
  if (options.canary === undefined) return await commit(change, current, mesh, options, host);
  await using trial = await Trial.start(change, mesh, options.canary, host);
  if (trial === undefined) {
    host.err(`sidecar: another policy of ${service} is on trial; nothing was written\n`);
    return EXIT.conflict;
  }
  const against = await trial.run(options.canary);
  if (against !== undefined) {
    await trial.end();
    host.err(`sidecar: ${service}: taken back, ${printable(against)}\n`);
    return EXIT.badData;
  }
  return await commit(change, current, mesh, options, host, () => trial.end());
}

async function commit(
  change: Change,
  current: StoredValue | undefined,
  mesh: MeshStore,
  options: ChangeOptions,
  host: Host,
  onWritten: () => Promise<void> = () => Promise.resolve(),
): Promise<number> {
  const { service } = change;
  const revision = await write(change, current, mesh, host);
  if (revision === undefined) {
    host.err(
      `sidecar: ${service}: somebody else has changed it meanwhile; nothing was written. ` +
        `See: sidecar policy history ${service}\n`,
    );
    return EXIT.conflict;
  }
  await onWritten();
  host.out(`${service}: revision ${revision} is written\n`);
  return await report(change, revision, mesh, options, host);
}

async function isSound({ service, text }: Change, mesh: MeshStore, host: Host): Promise<boolean> {
  try {
    if (text !== null) await validate(mesh, service, text, host);
    return true;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    host.err(problemLines(error));
    return false;
  }
}

function isAgreed(service: string, host: Host): boolean {
  if (!host.isInteractive) {
    throw new UsageError("nobody is there to be asked, expected --yes");
  }
  return /^y(es)?$/i.test(host.ask(`Put this into force for ${service}? [y/N]`)?.trim() ?? "");
}

/** Document and history in one transaction; undefined where somebody was quicker. */
async function write(
  { service, text, author, message }: Change,
  current: StoredValue | undefined,
  { store, prefix }: MeshStore,
  { clock }: Host,
): Promise<number | undefined> {
  const key = policyKey(prefix, service);
  const epochMs = clock.epoch();
  const entry: HistoryEntry = { author, message, time: new Date(epochMs).toISOString(), text };
  const token = crypto.randomUUID().slice(0, 8);
  const past = (await store.list(historyPrefix(prefix, service)))
    .toSorted((a, b) => a.revision - b.revision);
  const pruned = past.slice(0, Math.max(0, past.length + 1 - MAX_HISTORY)).slice(0, MAX_PRUNED);
  const writes: Write[] = [
    { key, text: text ?? undefined },
    { key: historyKey(prefix, service, epochMs, token), text: JSON.stringify(entry) },
    ...pruned.map(({ key }) => ({ key, text: undefined })),
  ];
  return await store.writeIf(key, current?.revision ?? 0, writes);
}

async function report(
  { service, text }: Change,
  revision: number,
  mesh: MeshStore,
  { waitMs }: ChangeOptions,
  host: Host,
): Promise<number> {
  // A document that is gone has no revision that instances could name.
  if (text === null) return EXIT.ok;
  const whose = service === DEFAULT_POLICY ? undefined : service;
  const limits = { ms: waitMs, clock: host.clock };
  const { decided, silent } = await awaitVerdicts(mesh, whose, revision, limits);
  if (decided.length + silent.length === 0) {
    host.out("no instance runs; those that start will take it\n");
    return EXIT.ok;
  }
  const own = decided.filter(({ status }) => names(status, revision));
  const refused = own.filter(({ status }) => !status.accepted);
  host.out(table([
    ...decided.map(({ id, status }) => [id, verdictOf(status, revision)]),
    ...silent.map(({ id }) => [id, `has not answered within ${waitMs / 1000} s`]),
  ]));
  const accepted = own.length - refused.length;
  host.out(`${accepted} of ${decided.length + silent.length} instances accepted it\n`);
  if (refused.length > 0) {
    host.out(`undo: sidecar policy rollback ${printable(service)}\n`);
    return EXIT.badData;
  }
  return silent.length > 0 ? EXIT.unavailable : EXIT.ok;
}

function verdictOf(status: InstanceStatus, revision: number): string {
  if (!names(status, revision)) return `has a newer one already, revision ${status.revision}`;
  return status.accepted ? "accepted" : `refused: ${status.error}`;
}
