// The edge of the demo without its sockets: what the tests of the whole pipeline share.
import { bodyOf, FakeIncoming, type FakeRequest } from "../../tests/support/fake_exchange.ts";
import { fakeRoute, fakeSnapshot } from "../../tests/support/fake_snapshot.ts";
import { SECRET, signToken } from "../../tests/support/tokens.ts";
import { upstreamRig } from "../../tests/support/upstream_rig.ts";
import { AccessLog } from "../filters/access_log.ts";
import { Cors } from "../filters/cors.ts";
import { Forwarded } from "../filters/forwarded.ts";
import { RateLimit } from "../filters/rate_limit.ts";
import { StripIdentity } from "../filters/strip_identity.ts";
import { makeJwt, SETTINGS } from "../filters/test_jwt.ts";
import { signingSecret, signToken as sign } from "../identity/jwt/signer.ts";
import { SnapshotStore } from "../snapshot/store.ts";
import { Logger } from "../telemetry/log.ts";
import { Login } from "./login.ts";
import { Pipeline, type Stage } from "./pipeline.ts";
import { EdgeRouter, PathNormalizer } from "./routers.ts";
import { fakeForwarder } from "./test_forward.ts";

const TEN = {
  rate: { count: 10, perMs: 1000 },
  burst: 10,
  key: [{ kind: "user" }],
  algorithm: "token-bucket",
  cost: 1,
  scope: "local",
} as const;
const ROUTES = [
  fakeRoute("/api/users/*", { rewrite: "/users/*", auth: "jwt", rateLimit: TEN }),
  fakeRoute("/api/ghosts/*", { to: "ghost-service", auth: "jwt", rateLimit: TEN }),
  fakeRoute("/open/*", { methods: ["GET"] }),
];
/** So much that it is of no matter. */
const PLENTY = { rate: { count: 1_000_000, perMs: 1 }, burst: 1_000_000 };
export const LOGIN_RATE_LIMIT = { user: PLENTY, client: PLENTY };
export const SHOP = "https://shop.example";
export const HOUR = Date.UTC(2026, 0, 1) / 1000 + 3600;

/** The edge of the demo as app.ts puts it together, with a log of everything that is said. */
export async function edge(
  options: { readonly hasJwt?: boolean; readonly format?: "json" | "text" } = {},
) {
  const { hasJwt = true, format = "json" } = options;
  const parts = upstreamRig();
  const { clock } = parts;
  const forwarder = fakeForwarder(parts);
  const signingKey = await signingSecret(SECRET);

  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  const log = new Logger({ level: "debug", format, write, now: () => 0 });
  const claims = new Map([["user_id", "username"]]);
  const cors = {
    origins: [SHOP],
    methods: ["GET"],
    headers: [],
    exposeHeaders: [],
    credentials: true,
    maxAgeMs: 0,
  };
  const login = {
    path: "/login",
    claims,
    expiresInMs: 86_400_000,
    verify: { kind: "passwordless" } as const,
    rateLimit: LOGIN_RATE_LIMIT,
  };
  const stages: Stage[] = [
    new AccessLog(log, clock, "all"),
    new Forwarded({ pseudonym: "gw-edge", trustedProxies: [], newRequestId: () => "new-id" }),
    new Cors(cors),
    new PathNormalizer(),
    ...(hasJwt
      ? [new Login({ ...login, sign: (claims) => sign(signingKey, claims), clock, forwarder })]
      : []),
    new EdgeRouter(),
    hasJwt ? makeJwt(SETTINGS, { clock }) : new StripIdentity(),
    new RateLimit(),
  ];
  const endpoints = { "user-service": ["10.0.0.1:80"] };
  const routes = hasJwt ? ROUTES : [fakeRoute("/api/users/*"), fakeRoute("/open/*")];
  const store = new SnapshotStore(fakeSnapshot({ routes, endpoints }));
  const refused: string[] = [];
  const onRefused = (reason: string): void => void refused.push(reason);
  const pipeline = new Pipeline({
    listener: "edge",
    stages,
    forwarder,
    store,
    clock,
    log,
    onRefused,
  });
  const ask = async (request: FakeRequest) => {
    const incoming = new FakeIncoming(request);
    const response = await pipeline.handle(incoming);
    const body = await bodyOf(response);
    pipeline.finished(incoming, { bodyBytes: body.length, error: undefined });
    return { status: response.status, headers: response.headers, body };
  };
  return { ...parts, pipeline, store, lines, log, refused, ask };
}

export async function bearer(user = "alice"): Promise<Record<string, string>> {
  return { authorization: `Bearer ${await signToken({ user_id: user, exp: HOUR })}` };
}
