// Earlier documents of a service: who put them there, when, why.
import { type HistoryEntry, historyPrefix } from "../../etcd/layout.ts";
import type { StoredValue } from "../../etcd/store.ts";
import { isRecord, parseJson } from "../json.ts";
import type { MeshStore } from "./access.ts";

export interface Version extends HistoryEntry {
  readonly key: string;
  /** That of the document, too: both are written in one transaction. */
  readonly revision: number;
}

/** Oldest first. What is no entry of ours is left out. */
export async function readHistory(
  { store, prefix }: MeshStore,
  service: string,
): Promise<Version[]> {
  const values = await store.list(historyPrefix(prefix, service));
  // By etcd's counting: the clocks of authors differ.
  return values.flatMap((value) => versionOf(value) ?? []).sort((a, b) => a.revision - b.revision);
}

function versionOf({ key, text: json, revision }: StoredValue): Version | undefined {
  const entry = parseJson(json);
  if (!isRecord(entry)) return undefined;
  const { author, message, time, text } = entry;
  if (![author, message, time].every((field) => typeof field === "string")) return undefined;
  if (text !== null && typeof text !== "string") return undefined;
  return { key, revision, ...entry as unknown as HistoryEntry };
}
