// The fields that came lately and are in no table: one that comes again soon is worth an entry, one that never does
// must not push others out. Remembers few, and forgets the oldest.
import type { Field } from "../../http/field.ts";

/** 64 fields; as the encoder offers none above a quarter of its table, at most 64 KiB of strings a connection. */
const SETS = 16;
const WAYS = 4;

export class Sightings {
  /** Sets of fields that are alike at a glance, the newest first. Made when the first field comes. */
  #fields: (Field | undefined)[] = [];

  /** Whether a field of this name and value was here already; if not, it was now. */
  isSecond(field: Field): boolean {
    const fields = this.#fields;
    if (fields.length === 0) { for (let i = 0; i < SETS * WAYS; i++) fields.push(undefined); }
    const first = setOf(field) * WAYS;
    for (let i = first; i < first + WAYS; i++) {
      const seen = fields[i];
      if (seen === undefined || seen.value !== field.value || seen.name !== field.name) continue;
      fields[i] = undefined;
      return true;
    }
    for (let i = first + WAYS - 1; i > first; i--) fields[i] = fields[i - 1];
    fields[first] = field;
    return false;
  }
}

/** By lengths and a few letters: the whole text is compared only with what is in the same set. */
function setOf({ name, value }: Field): number {
  const length = value.length;
  let hash = name.length * 31 + name.charCodeAt(name.length - 1) + length;
  if (length > 0) {
    hash = hash * 31 + value.charCodeAt(length - 1);
    hash = hash * 31 + value.charCodeAt(length >> 1);
  }
  return (hash ^ hash >>> 4 ^ hash >>> 9) & (SETS - 1);
}
