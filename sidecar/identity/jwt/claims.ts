// What claims say: whether one has a value that is asked for, and which scopes are granted.
import type { ClaimValue } from "./settings.ts";

export type Claims = Readonly<Record<string, unknown>>;

/** The claim's own value; undefined also for what every object inherits. */
export function claimOf(claims: Claims, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}

/** Whether the claim, or an entry of it, is one of `values`; without values, whether it is there. */
export function hasClaim(claims: Claims, name: string, values: readonly ClaimValue[]): boolean {
  const claim = claimOf(claims, name);
  if (values.length === 0) return claim !== undefined && claim !== null;
  return Array.isArray(claim)
    ? claim.some((entry) => values.includes(entry))
    : values.includes(claim as ClaimValue);
}

/** The first name whose claim is not as it should be. */
export function missingClaim(
  claims: Claims,
  required: ReadonlyMap<string, readonly ClaimValue[]>,
): string | undefined {
  for (const [name, values] of required) if (!hasClaim(claims, name, values)) return name;
  return undefined;
}

/** `scope` (RFC 8693 4.2, separated by spaces) and `scp`, a text or a list as some identity providers write it. */
export function scopesOf(claims: Claims): ReadonlySet<string> {
  const scopes = new Set<string>();
  for (const name of ["scope", "scp"]) {
    const claim = claimOf(claims, name);
    const words = typeof claim === "string" ? claim.split(" ") : Array.isArray(claim) ? claim : [];
    for (const word of words) if (typeof word === "string" && word !== "") scopes.add(word);
  }
  return scopes;
}
