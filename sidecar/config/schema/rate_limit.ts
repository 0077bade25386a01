// What limits have in common, at the edge and in front of an app.
import * as z from "zod";
import type { DefaultPath } from "../defaults.ts";
import type { RateKeyPart } from "../bootstrap.ts";
import { expected, type Parsed } from "../units.ts";
import { byDefault, choice, text, wholeNumber } from "./fields.ts";
import { rate } from "./scalars.ts";

const HEADER = /^header:([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256})$/;

/** One kind of caller, or a list of kinds: requests that agree in all of them share a count. */
export function rateKey(description: string, kinds: readonly RateKeyPart["kind"][]) {
  const words = kinds.filter((kind) => kind !== "header");
  const what = `${words.join(", ")} or header:NAME`;
  const parse = (value: string): Parsed<RateKeyPart> => {
    const name = HEADER.exec(value)?.[1]?.toLowerCase();
    if (name !== undefined) return { ok: true, value: { kind: "header", name } };
    const kind = words.find((word) => word === value);
    return kind === undefined ? expected(what) : { ok: true, value: { kind } };
  };
  const pattern = new RegExp(`^(?:${words.join("|")}|${HEADER.source.slice(1, -1)})$`);
  const part = text({ description: "One of them.", pattern }, what, parse);
  return z.union([part, z.array(part).min(1, { error: "empty, expected at least one entry" })], {
    error: `expected ${what}, or a list of these`,
  }).transform((value): readonly RateKeyPart[] => Array.isArray(value) ? value : [value])
    .meta({ description });
}

type Place = "gateway.routes[].rateLimit" | "policy.inbound.rateLimits[]";

/** Everything but the key. */
export function rateFields(place: Place) {
  const at = (field: string) => `${place}.${field}` as DefaultPath;
  return {
    rate: rate("How fast tokens come back."),
    burst: wholeNumber("How many may come at once; default: the count of the rate.", 1).optional(),
    algorithm: byDefault(
      at("algorithm"),
      choice("How it is counted; gcra keeps less of each key.", ["token-bucket", "gcra"]),
    ),
    cost: byDefault(at("cost"), wholeNumber("Tokens that one request takes.", 1)),
    scope: byDefault(
      at("scope"),
      choice("global: all instances together, through Redis.", ["local", "global"]),
    ),
  };
}
