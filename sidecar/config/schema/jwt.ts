// The jwt section, which stands at the gateway and in the inbound policy, and what a route asks of tokens.
import * as z from "zod";
import { ALGORITHMS, readJwk } from "../../lib/jwk.ts";
import type { DefaultPath } from "../defaults.ts";
import { HEADER_NAME_PATTERN } from "../patterns.ts";
import { expected, type Parsed } from "../units.ts";
import { byDefault, choice, list, oneOrMore, section, table, text, word } from "./fields.ts";
import { anyText, claimHeader, duration, headerName } from "./scalars.ts";

/** RFC 7518, section 3.2: a key of at least the hash's size, 256 bits for HS256. */
const MIN_SECRET_BYTES = 32;
export const CLAIM_PATTERN = /^[^\s]{1,255}$/;
export const CLAIM = "a claim name such as user_id";
/** RFC 6749, section 3.3. */
const SCOPE_PATTERN = /^[!#-[\]-~]+$/;
const FILE = "the path of a file";

const key = z.record(
  z.string(),
  z.unknown().meta({ description: "A member as RFC 7517 and RFC 7518 have it." }),
  { error: "expected a key as RFC 7517 has it" },
).superRefine((value, context) => {
  const reading = readJwk(value);
  if (!reading.ok) context.addIssue({ code: "custom", message: `unusable: ${reading.problem}` });
}).meta({ description: "One key." });

export const algorithm = (description: string) => choice(description, ALGORITHMS);

/** One source of keys is to be named; the rule stands in jwt_rules.ts. */
const keySources = {
  secret: text(
    { description: "Shared key of at least 32 bytes; write ${NAME} to take it from outside." },
    `a text of at least ${MIN_SECRET_BYTES} bytes`,
    parseSecret,
  ).optional(),
  jwks: section({ description: "A JWK Set in place." }, {
    keys: list("Public keys; any of them may have signed.", key, 1),
  }).optional(),
  jwksFile: anyText("Path of a JWK Set, which is watched.", FILE).optional(),
  jwksUri: text(
    {
      description: "Where the issuer publishes its JWK Set.",
      examples: ["https://id.example.com/.well-known/jwks.json"],
    },
    "an https address",
    parseJwksUri,
  ).optional(),
  publicKey: anyText("Path of one public key in PEM, which is watched.", FILE).optional(),
};

const issuerFields = {
  audience: oneOrMore("aud must have one of them; left out: it is not looked at.", "an audience")
    .optional(),
  algorithms: list(
    "The only ones taken; left out: all that the key is good for.",
    algorithm("An algorithm of RFC 7518."),
    1,
  ).optional(),
  ...keySources,
};

const issuer = section({ description: "Whose tokens are good, and what checks them." }, {
  issuer: anyText("Required value of iss.", "an issuer"),
  ...issuerFields,
});

const claimHeaders = table(
  { description: "Claim to the request header that carries it inside.", pattern: CLAIM_PATTERN },
  CLAIM,
  claimHeader("Header that carries the claim."),
);

const COOKIE_PATTERN = HEADER_NAME_PATTERN; // RFC 6265, section 4.1.1: a token too
const QUERY_PATTERN = /^[A-Za-z0-9._~-]+$/;

const tokenPlace = section({ description: "One place: header, cookie or query." }, {
  header: headerName("Header that carries the token.").optional(),
  scheme: word(
    { description: "Word before the token, such as Bearer.", pattern: HEADER_NAME_PATTERN },
    "a word such as Bearer",
  ).optional(),
  cookie: word(
    { description: "Cookie that is the token.", pattern: COOKIE_PATTERN },
    "a cookie name",
  )
    .optional(),
  query: word(
    {
      description: "Query parameter that is the token; it is taken out.",
      pattern: QUERY_PATTERN,
    },
    "the name of a query parameter",
  ).optional(),
});

const CLAIM_VALUE = "a text, a number, true or false, or a list of such";
const claimValue = z.union([z.string(), z.number(), z.boolean()], {
  error: `expected ${CLAIM_VALUE}`,
});

/** Claim to its value, or to a list of which it must have one. */
function claimTable(description: string) {
  const values = z.union([claimValue, z.array(claimValue, { error: `expected ${CLAIM_VALUE}` })], {
    error: `expected ${CLAIM_VALUE}`,
  }).meta({ description: "Its value, or a list of which one will do; an empty list: any value." });
  return table({ description, pattern: CLAIM_PATTERN }, CLAIM, values);
}

type Place = "gateway.jwt" | "policy.inbound.jwt";

/** Each default stands once for each place of the section. */
function fieldsAt(place: Place) {
  const at = <N extends string>(name: N): DefaultPath & `${Place}.${N}` =>
    `${place}.${name}` as DefaultPath & `${Place}.${N}`;
  return {
    issuer: anyText("Required value of iss, of the one issuer.", "an issuer").optional(),
    ...issuerFields,
    issuers: list("More than one issuer, each with its own keys.", issuer, 1).optional(),
    clockSkew: byDefault(at("clockSkew"), duration("How far clocks may differ.")),
    claimHeaders: byDefault(at("claimHeaders"), claimHeaders),
    tokenFrom: byDefault(
      at("tokenFrom"),
      list("Where the token is; the first place that has one counts.", tokenPlace, 1),
    ),
    requiredClaims: byDefault(
      at("requiredClaims"),
      claimTable("What every token must say, or it is none."),
    ),
  };
}

export const gatewayJwt = section(
  { description: "How tokens are checked: one source of keys, or issuers." },
  fieldsAt("gateway.jwt"),
);

const tokenRule = (description: string) =>
  section({ description }, {
    scopes: list(
      "All of them must be granted by scope or scp.",
      word({ description: "A scope.", pattern: SCOPE_PATTERN }, "a scope such as orders:write"),
    ).optional(),
    claims: claimTable("What the token must say.").optional(),
    issuers: list("Whose tokens are taken.", anyText("An issuer.", "an issuer"), 1).optional(),
  });

const demand = section({ description: "One of jwt and optional, with what is asked." }, {
  jwt: tokenRule("A token is needed.").optional(),
  optional: tokenRule("Without a token the caller is nobody; a token must be good.").optional(),
});

const AUTH_ERROR = "expected jwt, optional or a mapping of one of them to scopes, claims, issuers";

/** Whether a token is needed: in a word, or with what it must say. */
export const routeAuth = z.union(
  [choice("In a word.", ["none", "jwt", "optional"]), demand],
  { error: `not a value of this setting, ${AUTH_ERROR.replace("jwt", "none, jwt")}` },
).meta({ description: "Whether a token is needed, and what it must say." });

const inboundAuth = z.union([choice("In a word.", ["jwt", "optional"]), demand], {
  error: `not a value of this setting, ${AUTH_ERROR}`,
}).meta({ description: "Whether every call needs a token, and what it must say." });

export const inboundJwt = section(
  { description: "Checks the tokens of calls to the local app, as the gateway does." },
  { ...fieldsAt("policy.inbound.jwt"), auth: byDefault("policy.inbound.jwt.auth", inboundAuth) },
);

export type JwtDocument = z.output<typeof gatewayJwt>;
export type IssuerDocument = z.output<typeof issuer>;
export type InboundJwtDocument = z.output<typeof inboundJwt>;
export type AuthDocument = z.output<typeof routeAuth>;
export type TokenPlaceDocument = z.output<typeof tokenPlace>;

function parseSecret(secret: string): Parsed<string> {
  const bytes = new TextEncoder().encode(secret).length;
  if (bytes >= MIN_SECRET_BYTES) return { ok: true, value: secret };
  return expected(`a text of at least ${MIN_SECRET_BYTES} bytes (RFC 7518, section 3.2)`);
}

/** Whoever could change the answer could sign for everybody: plain HTTP does not leave the machine. */
function parseJwksUri(text: string): Parsed<string> {
  if (!URL.canParse(text)) return expected("an https address");
  const { protocol, hostname, username, password, hash } = new URL(text);
  if (username !== "" || password !== "" || hash !== "") {
    return expected("an https address without a password and without #");
  }
  const isLocal = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
  if (protocol === "https:" || protocol === "http:" && isLocal) return { ok: true, value: text };
  return expected("an https address (http only on this machine)");
}
