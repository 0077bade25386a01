// Whom a rule means: the words of `from` and `namespaces` turned into SPIFFE ids once, when the policy is compiled.
import { anyDatacenter, formatId, type Home, namespacePrefix } from "../identity/spiffe.ts";
import type { AuthorizationRule } from "./authorization_settings.ts";

const ANY = "*";
const NOBODY = "anonymous";

/**
 * The rule with every name of `from` as the full id that it means. A bare name is a service of `home`, in whichever datacenter
 * (`*`) where ids name them. Throws RangeError for a name that cannot be in an id.
 */
export function resolveCallers(rule: AuthorizationRule, home: Home): AuthorizationRule {
  const { from, namespaces } = rule;
  if (from === undefined && namespaces === undefined) return Object.freeze({ ...rule });
  const homes = (namespaces ?? [home.namespace]).map((namespace) => ({ ...home, namespace }));
  const resolved = (from ?? [ANY]).flatMap((caller) => {
    if (caller === NOBODY || isId(caller)) return [caller];
    if (caller === ANY && namespaces === undefined) return [ANY];
    return homes.map((place) =>
      anyDatacenter(
        caller === ANY ? namespacePrefix(place) + ANY : formatId({ ...place, service: caller }),
      )
    );
  });
  return Object.freeze({ ...rule, from: Object.freeze([...new Set(resolved)]) });
}

/** No name has a slash. */
function isId(caller: string): boolean {
  return caller.includes("/");
}

/** The callers of one rule that `resolveCallers` has been over. */
export class Callers {
  /** Named one by one. */
  readonly ids: ReadonlySet<string>;
  /** Some are not named one by one. */
  readonly isOpen: boolean;
  /** Beginnings of ids: whoever is in a namespace. Undefined where they decide nothing. */
  readonly #prefixes: readonly string[] | undefined;
  readonly #isAnonymous: boolean;

  constructor({ from, action }: AuthorizationRule) {
    const callers = from ?? [ANY, NOBODY];
    const prefixes = callers.filter((caller) => caller.length > 1 && caller.endsWith(ANY))
      .map((caller) => caller.slice(0, -1));
    const isAny = callers.includes(ANY);
    this.ids = new Set(
      callers.filter((caller) => isId(caller) && !caller.endsWith(ANY)),
    );
    this.isOpen = isAny || prefixes.length > 0;
    this.#prefixes = isAny ? undefined : prefixes;
    // Who does not say who it is could be anybody: or a deny rule would be passed by leaving the certificate at home.
    this.#isAnonymous = callers.includes(NOBODY) || action === "deny";
  }

  includes(identity: string | undefined): boolean {
    if (identity === undefined) return this.#isAnonymous;
    return this.ids.has(identity) || this.ids.has(anyDatacenter(identity)) ||
      this.isOpen && this.isWithin(identity);
  }

  /** Of an open rule, whether it takes somebody whom it does not name. */
  isWithin(identity: string): boolean {
    const prefixes = this.#prefixes;
    if (prefixes === undefined) return true;
    const placeless = anyDatacenter(identity);
    for (let i = 0; i < prefixes.length; i++) if (placeless.startsWith(prefixes[i]!)) return true;
    return false;
  }
}
