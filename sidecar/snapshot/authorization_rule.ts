// One rule of authorization, compiled: whether it takes a request. Nothing here allocates for a rule that allows.
import { claimOf, type Claims, hasClaim } from "../identity/jwt/claims.ts";
import type { ClaimValue } from "../identity/jwt/settings.ts";
import type { AuthorizationRule } from "./authorization_settings.ts";
import { Callers } from "./callers.ts";
import { lenientPattern, PathPattern } from "./path_pattern.ts";

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
  readonly claims: Claims | undefined;
}

export class CompiledRule {
  readonly decision: Decision;
  readonly callers: Callers;
  readonly #methods: readonly string[] | undefined;
  readonly #paths: Patterns | undefined;
  readonly #grpc: Patterns | undefined;
  readonly #claims: readonly (readonly [name: string, values: readonly ClaimValue[]])[];

  constructor(rule: AuthorizationRule, decision: Decision) {
    this.decision = decision;
    this.callers = new Callers(rule);
    this.#methods = rule.methods;
    const isWide = rule.action === "deny";
    this.#paths = rule.paths && compile(rule.paths, isWide);
    // A gRPC method is its path, whatever the content type says: servers of Connect and gRPC-Web take the same call.
    this.#grpc = rule.grpc && compile(rule.grpc.map((method) => `/${method}`), isWide);
    this.#claims = Object.entries(rule.claims ?? {});
  }

  /** `question` is of a caller whom `callers` may include; `lenient` is its path as lenient apps read it. */
  takes(question: Question, lenient: string): boolean {
    const { identity, path, claims } = question;
    return this.#takesCaller(identity) && this.#takesMethod(question.method) &&
      takesPath(this.#paths, path, lenient) && takesPath(this.#grpc, path, lenient) &&
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

  /** A token left at home says nothing: like a caller without a name, its bearer could be whom a rule denies. */
  #takesClaims(claims: Question["claims"]): boolean {
    if (claims === undefined && !this.decision.isAllowed) return true;
    for (let i = 0; i < this.#claims.length; i++) {
      const [name, values] = this.#claims[i]!;
      if (claims === undefined) return false;
      if (hasClaim(claims, name, values)) continue;
      if (name !== "scope" || !hasScope(claims, values)) return false;
    }
    return true;
  }
}

interface Patterns {
  readonly exact: readonly PathPattern[];
  /** Of a rule that denies; compared with the path as lenient apps read it. */
  readonly lenient: readonly PathPattern[];
}

function compile(patterns: readonly string[], isWide: boolean): Patterns {
  const lenient = isWide ? patterns.map(lenientPattern) : [];
  return {
    exact: patterns.map((pattern) => new PathPattern(pattern)),
    lenient: lenient.map((pattern) => new PathPattern(pattern)),
  };
}

function takesPath(patterns: Patterns | undefined, path: string, lenient: string): boolean {
  return patterns === undefined || matchesOne(patterns.exact, path) ||
    matchesOne(patterns.lenient, lenient);
}

/** HEAD is a GET without the body, here as for routes. */
function hasMethod(methods: readonly string[], method: string): boolean {
  return methods.includes(method) || method === "HEAD" && methods.includes("GET");
}

function matchesOne(patterns: readonly PathPattern[], path: string): boolean {
  for (let i = 0; i < patterns.length; i++) if (patterns[i]!.matches(path)) return true;
  return false;
}

/** Of `scope` (RFC 8693, section 4.2) one of its words is enough. */
function hasScope(claims: Claims, values: readonly ClaimValue[]): boolean {
  const scope = claimOf(claims, "scope");
  if (typeof scope !== "string") return false;
  return values.some((value) =>
    typeof value === "string" && value !== "" && ` ${scope} `.includes(` ${value} `)
  );
}
