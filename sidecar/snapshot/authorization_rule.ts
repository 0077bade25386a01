// One rule of authorization, compiled: whether it takes a request. Nothing here allocates for a rule that allows.
import type { AuthorizationRule, ClaimValue } from "./authorization_settings.ts";
import { Callers } from "./callers.ts";
import { lenientPath, PathPattern } from "./path_pattern.ts";

export interface Decision {
  readonly isAllowed: boolean;
  /** The name of the rule that decided, or what stands for it. */
  readonly rule: string;
  /** Its place among all decisions of its authorization. */
  readonly index: number;
}

/** What of a request decides; lent for the time of a call. */
export interface Question {
  /** The verified SPIFFE id of the caller. */
  readonly identity: string | undefined;
  readonly method: string;
  /** In its one spelling (http/path.ts), without query. */
  readonly path: string;
  /** Of a token that was found good. */
  readonly claims: Readonly<Record<string, unknown>> | undefined;
}

export class CompiledRule {
  readonly decision: Decision;
  readonly callers: Callers;
  readonly #methods: readonly string[] | undefined;
  readonly #paths: readonly PathPattern[] | undefined;
  readonly #grpc: readonly PathPattern[] | undefined;
  readonly #claims: readonly (readonly [name: string, values: readonly ClaimValue[]])[];

  constructor(rule: AuthorizationRule, decision: Decision) {
    this.decision = decision;
    this.callers = new Callers(rule);
    this.#methods = rule.methods;
    this.#paths = rule.paths?.map((path) => new PathPattern(path));
    // A gRPC method is its path, whatever the content type says: servers of Connect and gRPC-Web take the same call.
    this.#grpc = rule.grpc?.map((method) => new PathPattern(`/${method}`));
    this.#claims = Object.entries(rule.claims ?? {});
  }

  /** `question` is of a caller whom `callers` may include. */
  takes(question: Question): boolean {
    const { identity, path, claims } = question;
    return this.#takesCaller(identity) && this.#takesMethod(question.method) &&
      this.#takesPath(this.#paths, path) && this.#takesPath(this.#grpc, path) &&
      this.#takesClaims(claims);
  }

  #takesCaller(identity: string | undefined): boolean {
    const { callers } = this;
    return identity === undefined || !callers.isOpen || callers.isWithin(identity) ||
      callers.ids.has(identity);
  }

  /** Some servers read `delete` as DELETE: whoever is denied the one is denied the other. */
  #takesMethod(method: string): boolean {
    const methods = this.#methods;
    if (methods === undefined || hasMethod(methods, method)) return true;
    return !this.decision.isAllowed && hasMethod(methods, method.toUpperCase());
  }

  /** Where it denies, a path counts also as a lenient app reads it. */
  #takesPath(patterns: readonly PathPattern[] | undefined, path: string): boolean {
    if (patterns === undefined || matchesOne(patterns, path)) return true;
    return !this.decision.isAllowed && matchesOne(patterns, lenientPath(path));
  }

  #takesClaims(claims: Question["claims"]): boolean {
    for (let i = 0; i < this.#claims.length; i++) {
      const [name, values] = this.#claims[i]!;
      if (claims === undefined || !Object.hasOwn(claims, name)) return false;
      if (!isOneOf(claims[name], values, name === "scope")) return false;
    }
    return true;
  }
}

/** HEAD is a GET without the body, here as for routes. */
function hasMethod(methods: readonly string[], method: string): boolean {
  return methods.includes(method) || method === "HEAD" && methods.includes("GET");
}

function matchesOne(patterns: readonly PathPattern[], path: string): boolean {
  for (let i = 0; i < patterns.length; i++) if (patterns[i]!.matches(path)) return true;
  return false;
}

/** Of a list one entry is enough, and of `scope` (RFC 8693, section 4.2) one of its words. */
function isOneOf(claim: unknown, values: readonly ClaimValue[], hasWords: boolean): boolean {
  if (values.length === 0) return claim !== null;
  if (Array.isArray(claim)) return claim.some((entry) => values.includes(entry));
  if (values.includes(claim as ClaimValue)) return true;
  return hasWords && typeof claim === "string" &&
    values.some((value) => typeof value === "string" && hasWord(claim, value));
}

function hasWord(text: string, word: string): boolean {
  return word !== "" && ` ${text} `.includes(` ${word} `);
}
