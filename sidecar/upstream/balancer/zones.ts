// Endpoints of the own zone first, as long as enough of them are available; what they cannot carry spills over.
import type { Endpoint } from "../../snapshot/snapshot.ts";
import type { Asker, Picker } from "./picker.ts";

/** As Envoy has it between priorities: up to so much more than its part, what is left of a zone carries all of it. */
const OVERPROVISIONING = 1.4;

/** The share of requests that stays at home. */
export function localShare(available: number, known: number): number {
  return known === 0 ? 0 : Math.min(1, OVERPROVISIONING * available / known);
}

export interface ZoneParts {
  readonly local: Picker;
  readonly other: Picker;
  readonly share: number;
  readonly random: () => number;
}

export class ZonePicker implements Picker {
  readonly #parts: ZoneParts;

  constructor(parts: ZoneParts) {
    this.#parts = parts;
  }

  pick(tried: readonly Endpoint[], asker?: Asker): Endpoint | undefined {
    const { local, other, share, random } = this.#parts;
    const isLocal = share >= 1 || random() < share;
    const [first, second] = isLocal ? [local, other] : [other, local];
    return first.pick(tried, asker) ?? second.pick(tried, asker);
  }
}
