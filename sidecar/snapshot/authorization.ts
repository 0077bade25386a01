// Who may call the local app: rules compiled so that a request costs one look by its caller and a few comparisons.
// Deny rules are asked first, then allow rules, then the default. Pure, and frozen once it is made.
import { anyDatacenter, type Home, namespacePrefix } from "../identity/spiffe.ts";
import { CompiledRule, type Decision, type Question } from "./authorization_rule.ts";
import type { AuthorizationRule, AuthorizationSettings } from "./authorization_settings.ts";
import { resolveCallers } from "./callers.ts";
import { lenientPath } from "./path_pattern.ts";

/** What stands for the rule where none took the request, and where its path could be read in two ways. */
export const DEFAULT_RULE = "default";
export const AMBIGUOUS_PATH = "ambiguous-path";

export class Authorization {
  /** As the operator wrote them, but with every caller in full. */
  readonly settings: AuthorizationSettings;
  /** Rules compare paths, so there must be one way to read one. */
  readonly readsPaths: boolean;
  /** Every decision there can be. */
  readonly decisions: readonly Decision[];
  /** A path that could be read in two ways. */
  readonly ambiguous: Decision;
  readonly #fallback: Decision;
  /** A deny rule compares paths, also as lenient apps read them. */
  readonly #isLenient: boolean;
  readonly #home: string;
  readonly #hasDatacenters: boolean;
  /** Rules that may take a caller, deny rules first: by identity, for identities that no rule names, and for nobody. */
  readonly #named: ReadonlyMap<string, readonly CompiledRule[]>;
  readonly #others: readonly CompiledRule[];
  readonly #anonymous: readonly CompiledRule[];

  constructor(settings: AuthorizationSettings, home: Home) {
    this.settings = Object.freeze({
      ...settings,
      rules: Object.freeze(settings.rules.map((rule) => resolveCallers(rule, home))),
    });
    this.readsPaths = settings.rules.some(readsPaths);
    this.#isLenient = settings.rules.some((rule) => rule.action === "deny" && readsPaths(rule));
    const count = settings.rules.length;
    this.#fallback = decision(settings.default === "allow", DEFAULT_RULE, count);
    this.ambiguous = decision(false, AMBIGUOUS_PATH, count + 1);
    const rules = this.settings.rules.map((rule, index) =>
      new CompiledRule(rule, decision(rule.action === "allow", rule.name, index))
    );
    this.decisions = Object.freeze([
      ...rules.map((rule) => rule.decision),
      this.#fallback,
      this.ambiguous,
    ]);
    this.#home = namespacePrefix(home);
    this.#hasDatacenters = home.datacenter !== undefined;
    const ordered = rules.toSorted((a, b) =>
      Number(a.decision.isAllowed) - Number(b.decision.isAllowed)
    );
    const of = (identity: string | undefined) =>
      ordered.filter(({ callers }) => callers.includes(identity));
    const names = new Set(rules.flatMap(({ callers }) => [...callers.ids]));
    this.#named = new Map([...names].map((name) => [name, of(name)]));
    this.#anonymous = of(undefined);
    this.#others = ordered.filter(({ callers }) => callers.isOpen);
    Object.freeze(this);
  }

  decide(question: Question): Decision {
    const { identity } = question;
    const rules = identity === undefined
      ? this.#anonymous
      : this.#named.get(identity) ?? this.#elsewhere(identity) ?? this.#others;
    const lenient = this.#isLenient ? lenientPath(question.path) : question.path;
    for (let i = 0; i < rules.length; i++) {
      if (rules[i]!.takes(question, lenient)) return rules[i]!.decision;
    }
    return this.#fallback;
  }

  /** The rules for a service that they name without its datacenter. */
  #elsewhere(identity: string): readonly CompiledRule[] | undefined {
    return this.#hasDatacenters ? this.#named.get(anyDatacenter(identity)) : undefined;
  }

  /** For people: a neighbour by its name alone, others by their whole id. */
  nameOf(identity: string | undefined): string {
    if (identity === undefined) return "anonymous";
    return identity.startsWith(this.#home) ? identity.slice(this.#home.length) : identity;
  }
}

function readsPaths({ paths, grpc }: AuthorizationRule): boolean {
  return (paths ?? grpc) !== undefined;
}

function decision(isAllowed: boolean, rule: string, index: number): Decision {
  return Object.freeze({ isAllowed, rule, index });
}
