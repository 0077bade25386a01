// What a route asks of a token that is good: who issued it, what it grants, what it says.
import { ProxyError } from "../errors.ts";
import { missingClaim } from "../identity/jwt/claims.ts";
import type { TokenRule } from "../identity/jwt/settings.ts";
import type { Accepted } from "./verdicts.ts";

/** Throws ProxyError where the token is not enough. */
export function checkRule(rule: TokenRule, { caller: { claims }, scopes }: Accepted): void {
  const { iss } = claims;
  if (rule.issuers.length > 0 && !(typeof iss === "string" && rule.issuers.includes(iss))) {
    throw new ProxyError("invalid-token", "the route does not take tokens of this issuer", {
      side: "downstream",
    });
  }
  for (const scope of rule.scopes) if (!scopes.has(scope)) throw insufficient(rule, "a scope");
  if (missingClaim(claims, rule.claims) !== undefined) throw insufficient(rule, "a claim");
}

/** RFC 6750, section 3.1: all the scopes that are needed. The configuration has refused quotes in them. */
function insufficient({ scopes }: TokenRule, what: string): ProxyError {
  const scope = scopes.length === 0 ? "" : `, scope="${scopes.join(" ")}"`;
  return new ProxyError("insufficient-scope", `the token lacks ${what} that the route asks for`, {
    side: "downstream",
    fields: { "www-authenticate": `Bearer error="insufficient_scope"${scope}` },
  });
}
