// Who may call the local app: rules compiled for quick answers. Deny rules come before allow rules, whatever their order.
import { formatId } from "../identity/spiffe.ts";

/** A rule as the operator wrote it: what is named must hold, of each list one entry; an empty list holds always. */
export interface AuthorizationRule {
  readonly name: string;
  readonly action: "allow" | "deny";
  /** Services of this namespace, whole SPIFFE ids, or `*` for whoever has proved to be of the mesh. */
  readonly from: readonly string[];
  readonly methods: readonly string[];
  /** `/exact`, `/prefix/*`, or with parameters; a gRPC method is `/package.Service/Method`. */
  readonly paths: readonly string[];
}

export interface AuthorizationSettings {
  /** `dry-run` tells whom it would refuse, and refuses nobody. */
  readonly mode: "enforce" | "dry-run";
  readonly rules: readonly AuthorizationRule[];
}

/** Where this sidecar is: what a bare service name stands for. */
export interface Place {
  readonly trustDomain: string;
  readonly namespace: string;
}

export interface Call {
  /** The SPIFFE id that the caller proved; undefined for who proved nothing. */
  readonly identity: string | undefined;
  readonly method: string;
  /** In its one spelling, without query. */
  readonly path: string;
}

/** `rule` is the one that decided; undefined: none allowed it, or none was there to refuse it. */
export interface Decision {
  readonly isAllowed: boolean;
  readonly rule: string | undefined;
}

const ANYBODY = "*";

interface CompiledRule {
  readonly name: string;
  /** Undefined: everybody. */
  readonly from: ReadonlySet<string> | undefined;
  readonly methods: readonly string[];
  readonly paths: readonly (readonly string[])[];
}

export class Authorization {
  readonly settings: AuthorizationSettings;
  /** A rule looks at paths: they must have one spelling. */
  readonly needsPath: boolean;
  readonly #denies: readonly CompiledRule[];
  readonly #allows: readonly CompiledRule[];

  /** Throws RangeError where a name cannot stand in a SPIFFE id. */
  constructor(settings: AuthorizationSettings, place: Place) {
    const { rules } = settings;
    const compile = (action: AuthorizationRule["action"]) =>
      rules.filter((rule) => rule.action === action).map((rule) => compileRule(rule, place));
    this.settings = settings;
    this.needsPath = rules.some(({ paths }) => paths.length > 0);
    this.#denies = compile("deny");
    this.#allows = compile("allow");
  }

  /** Without an allow rule everything is allowed that no rule denies. */
  decide(call: Call): Decision {
    const denied = find(this.#denies, call);
    if (denied !== undefined) return { isAllowed: false, rule: denied.name };
    if (this.#allows.length === 0) return { isAllowed: true, rule: undefined };
    const allowed = find(this.#allows, call);
    return { isAllowed: allowed !== undefined, rule: allowed?.name };
  }
}

function compileRule(
  { name, from, methods, paths }: AuthorizationRule,
  place: Place,
): CompiledRule {
  const ids = from.map((who) => who === ANYBODY || who.includes("/") ? who : idOf(who, place));
  return {
    name,
    from: from.length === 0 ? undefined : new Set(ids),
    methods,
    paths: paths.map((path) => path.split("/")),
  };
}

function idOf(service: string, { trustDomain, namespace }: Place): string {
  return formatId({ trustDomain, namespace, service });
}

function find(rules: readonly CompiledRule[], call: Call): CompiledRule | undefined {
  for (const rule of rules) if (matches(rule, call)) return rule;
  return undefined;
}

function matches({ from, methods, paths }: CompiledRule, call: Call): boolean {
  if (from !== undefined) {
    if (call.identity === undefined) return false;
    if (!from.has(call.identity) && !from.has(ANYBODY)) return false;
  }
  if (methods.length > 0 && !methods.includes(call.method)) return false;
  if (paths.length === 0) return true;
  const segments = call.path.split("/");
  return paths.some((pattern) => matchesPath(pattern, segments));
}

/** `/a/*` takes `/a` and all below it, as a route does; `{name}` takes one segment that is not empty. */
function matchesPath(pattern: readonly string[], segments: readonly string[]): boolean {
  for (let i = 0; i < pattern.length; i++) {
    const wanted = pattern[i]!;
    if (wanted === "*" && i === pattern.length - 1) return true;
    const segment = segments[i];
    if (segment === undefined) return false;
    if (wanted.startsWith("{") ? segment === "" : segment !== wanted) return false;
  }
  return pattern.length === segments.length;
}
