// The section that makes an instance an edge: CORS, JWT, login, routes.
import * as z from "zod";
import { HEADER_NAME, HEADER_NAME_PATTERN } from "../patterns.ts";
import { edgeTls } from "./edge_tls.ts";
import { byDefault, flag, list, oneOrMore, section, table, wholeNumber } from "./fields.ts";
import { algorithm, CLAIM, CLAIM_PATTERN, gatewayJwt, routeAuth } from "./jwt.ts";
import { rateFields, rateKey } from "./rate_limit.ts";
import {
  anyText,
  bindAddress,
  cidr,
  duration,
  headerName,
  headerValue,
  hostMatch,
  method,
  origin,
  path,
  pathPattern,
  rate,
  serviceName,
  size,
} from "./scalars.ts";

const cors = section({ description: "Which pages of other origins may call." }, {
  origins: list("Exact origins, or * alone.", origin("One origin."), 1),
  methods: byDefault("gateway.cors.methods", list("Methods allowed.", method("One method."))),
  headers: byDefault(
    "gateway.cors.headers",
    list("Request headers allowed.", headerName("One header.")),
  ),
  exposeHeaders: byDefault(
    "gateway.cors.exposeHeaders",
    list("Response headers that scripts may read.", headerName("One header.")),
  ),
  credentials: byDefault("gateway.cors.credentials", flag("Whether cookies may be sent.")),
  maxAge: byDefault(
    "gateway.cors.maxAge",
    duration("How long browsers may keep a preflight's answer.", {
      maxMs: Number.MAX_SAFE_INTEGER,
    }),
  ),
});

const verify = section({ description: "The service that checks the password." }, {
  service: serviceName("Service that is asked."),
  path: byDefault(
    "gateway.login.verify.path",
    path("Path that takes username and password by POST; 200 is yes, 401 no."),
  ),
});

const claims = table(
  { description: "Claim to the field of the login body it is taken from.", pattern: CLAIM_PATTERN },
  CLAIM,
  anyText("Field of the login body.", "the name of a field"),
);

const bucket = (path: "user" | "client", description: string) =>
  section({ description }, {
    rate: byDefault(`gateway.login.rateLimit.${path}.rate`, rate("How fast tries come back.")),
    burst: byDefault(
      `gateway.login.rateLimit.${path}.burst`,
      wholeNumber("How many tries may come at once.", 1),
    ),
  }).prefault({});

const loginRateLimit = section({ description: "How often one may try to log in." }, {
  user: bucket("user", "For one name from one client."),
  client: bucket("client", "For one client, whatever the names. An IPv6 client is its /64."),
});

const signing = section({ description: "A private key in place of the secret of gateway.jwt." }, {
  privateKey: anyText("Path of the key: PEM, PKCS 8.", "the path of a file"),
  algorithm: algorithm("Left out: RS256, EdDSA, or the one of the key's curve.").optional(),
  kid: anyText("Name of the key in the JWK Set that checks it.", "a kid").optional(),
});

/** Exactly one way to verify; the rule stands in rules.ts for a message and here for editors. */
const login = section({ description: "Issues tokens to users who log in." }, {
  path: byDefault("gateway.login.path", path("Path that takes the login by POST.")),
  claims: byDefault("gateway.login.claims", claims),
  expiresIn: byDefault(
    "gateway.login.expiresIn",
    duration("How long a token is good.", { positive: true, maxMs: Number.MAX_SAFE_INTEGER }),
  ),
  passwordless: z.literal(true, { error: "expected true, or leave it out and set verify" })
    .meta({ description: "Believe any username: for demos only." }).optional(),
  verify: verify.optional(),
  rateLimit: loginRateLimit.prefault({}),
  issuer: anyText("Which of gateway.jwt.issuers the tokens are of.", "an issuer").optional(),
  signing: signing.optional(),
}).meta({ oneOf: [{ required: ["passwordless"] }, { required: ["verify"] }] });

const match = section({ description: "Which requests the route takes." }, {
  path: pathPattern("/exact, /prefix/* or /users/{id}."),
  methods: byDefault(
    "gateway.routes[].match.methods",
    list("Methods taken; empty: any.", method("One method.")),
  ),
  headers: byDefault(
    "gateway.routes[].match.headers",
    table(
      {
        description: "Headers that must be there; * is any value.",
        pattern: HEADER_NAME_PATTERN,
      },
      HEADER_NAME,
      headerValue("The value, or *."),
    ),
  ),
  host: hostMatch("Host taken; left out: any.").optional(),
});

const rateLimit = section({ description: "How often one may ask." }, {
  ...rateFields("gateway.routes[].rateLimit"),
  key: rateKey("Whose requests count together; default: user when auth is jwt, else client.", [
    "client",
    "user",
    "caller",
    "route",
  ]).optional(),
});

const FILE = "the path of a file";

/** Exactly one source; the rule stands in gateway_rules.ts for a message and here for editors. */
const transcode = section({
  description: "Turns REST and JSON into gRPC by google.api.http rules. Name one source of them.",
}, {
  proto: oneOrMore("Paths of .proto files, from the current directory.", FILE).optional(),
  include: byDefault(
    "gateway.routes[].transcode.include",
    list(
      "Where imports are looked for, besides beside the files.",
      anyText("A directory.", "a path"),
    ),
  ),
  descriptorSet: anyText("Path of an encoded FileDescriptorSet with all imports.", FILE).optional(),
  reflection: z.literal(true, { error: "expected true, or leave it out" })
    .meta({ description: "Ask the service itself, by grpc.reflection." }).optional(),
  maxMessage: byDefault(
    "gateway.routes[].transcode.maxMessage",
    size("The largest message either way."),
  ),
  emitDefaults: byDefault(
    "gateway.routes[].transcode.emitDefaults",
    flag("Prints fields that have their default value."),
  ),
  keepProtoNames: byDefault(
    "gateway.routes[].transcode.keepProtoNames",
    flag("Prints user_id as the schema has it, in place of userId."),
  ),
  enumsAsNumbers: byDefault(
    "gateway.routes[].transcode.enumsAsNumbers",
    flag("Prints enums as numbers."),
  ),
  ignoreUnknownFields: byDefault(
    "gateway.routes[].transcode.ignoreUnknownFields",
    flag("Takes JSON fields that the schema does not know, and drops them."),
  ),
  ignoreUnknownParameters: byDefault(
    "gateway.routes[].transcode.ignoreUnknownParameters",
    flag("Takes query parameters that name no field, and drops them."),
  ),
}).meta({
  oneOf: [{ required: ["proto"] }, { required: ["descriptorSet"] }, { required: ["reflection"] }],
});

const route = section({ description: "Where some requests go." }, {
  match,
  to: serviceName("Service that answers."),
  rewrite: pathPattern("The path that the service sees; * and {name} come from the match.")
    .optional(),
  auth: byDefault("gateway.routes[].auth", routeAuth),
  rateLimit: rateLimit.optional(),
  timeout: duration(
    "How long the head of the response may take once the request was sent; 0 means no limit. " +
      "Default: that of the upstream in the policy, else 5s.",
  ).optional(),
  transcode: transcode.optional(),
});

const edgeShape = {
  cors: cors.optional(),
  jwt: gatewayJwt.optional(),
  login: login.optional(),
};

const routes = list("Which requests go where.", route, 1);

export const gateway = section({ description: "Makes this instance an edge." }, {
  bind: byDefault("gateway.bind", bindAddress("Where clients call.")),
  tls: edgeTls.optional(),
  ...edgeShape,
  routes: routes.optional(),
  trustedProxies: byDefault(
    "gateway.trustedProxies",
    list("Proxies in front whose x-forwarded-* are believed.", cidr("One block.")),
  ),
});

/** What a policy may say of an edge. */
export const edge = section({
  description: "What an edge does, in place of cors, jwt, login and routes of the bootstrap.",
}, { ...edgeShape, routes });

export type GatewayDocument = z.output<typeof gateway>;
export type EdgeDocument = z.output<typeof edge>;
export type RouteDocument = z.output<typeof route>;
