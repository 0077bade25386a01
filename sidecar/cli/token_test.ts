import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { claimsOf, SECRET } from "../../tests/support/tokens.ts";
import { pemOf, tokenKey } from "../../tests/support/token_keys.ts";
import { runCli } from "./cli.ts";
import { FakeHost, FakeSidecar } from "./fake_host.ts";

const NOW = Date.UTC(2026, 0, 1) / 1000;
const KEY = await tokenKey("ES256", "k1");

function hostWith(files: Readonly<Record<string, string>>): FakeHost {
  const host = new FakeHost();
  for (const [name, text] of Object.entries(files)) host.files.set(name, text);
  return host;
}

async function token(host: FakeHost, ...args: string[]) {
  host.stdout = host.stderr = "";
  const start = () => Promise.resolve(new FakeSidecar(host.events));
  const code = await runCli(["token", ...args], { host, start });
  return { code, out: host.stdout, err: host.stderr };
}

const FILES = {
  "secret": `${SECRET}\n`,
  "short": "x",
  "private.pem": await pemOf(KEY.privateKey),
  "public.pem": await pemOf(KEY.publicKey),
  "jwks.json": JSON.stringify({ keys: [KEY.jwk] }),
  "gateway.yaml": `service: { name: gw }
gateway:
  jwt: { secret: ${SECRET}, issuer: us, audience: shop, requiredClaims: { tenant: eu } }
  login: { passwordless: true }
  routes: [{ match: { path: / }, to: a }]
`,
};

Deno.test("token issue signs what it is told, for an hour unless told otherwise", async () => {
  const host = hostWith(FILES);
  const say = ["--subject", "alice", "--claim", "a=b=c", "--claim-json", 'roles=["x"]'];
  const { code, out, err } = await token(host, "issue", "--secret-file", "secret", ...say);
  assertEquals([code, err], [0, ""]);
  assertEquals(claimsOf(out.trim()), {
    sub: "alice",
    iat: NOW,
    exp: NOW + 3600,
    a: "b=c",
    roles: ["x"],
  });
  const long = await token(
    host,
    "issue",
    "--secret-file",
    "secret",
    "--expires-in",
    "48h",
    "--json",
  );
  assertEquals(JSON.parse(long.out).claims.exp, NOW + 172_800);
});

Deno.test("token verify prints the claims of what token issue made, with each kind of key", async () => {
  const host = hostWith(FILES);
  host.documents.set("https://id.example/jwks", { keys: [KEY.jwk] });
  const pairs = [
    [["--secret-file", "secret"], ["--secret-file", "secret"]],
    [["--key-file", "private.pem"], ["--key-file", "public.pem"]],
    [["--key-file", "private.pem", "--kid", "k1"], ["--jwks", "jwks.json"]],
    [["--key-file", "private.pem", "--kid", "k1"], ["--jwks", "https://id.example/jwks"]],
    [["--config", "gateway.yaml", "--claim", "tenant=eu"], ["--config", "gateway.yaml"]],
  ];
  for (const [issue = [], verify = []] of pairs) {
    const { out: text } = await token(host, "issue", "--subject", "alice", ...issue);
    const { code, out, err } = await token(host, "verify", ...verify, text.trim());
    assertEquals([code, err, JSON.parse(out).sub], [0, "", "alice"], verify.join(" "));
    host.stdin = text;
    assertEquals((await token(host, "verify", ...verify)).out, out);
    const json = await token(host, "verify", "--json", ...verify, text.trim());
    assertEquals(JSON.parse(json.out), { ok: true, claims: claimsOf(text) });
  }
  assertEquals(host.clock.pending, 0);
});

Deno.test("token verify says exactly why it refuses, and exits 65", async () => {
  const host = hostWith(FILES);
  const claims = { sub: "a", iss: "us", aud: "shop", exp: NOW + 60 };
  const by = ["--key-file", "public.pem", "--issuer", "us", "--audience", "shop"];
  const other = await tokenKey("ES256", "k1");
  const cases: [string, string][] = [
    ["x", "not three parts between dots"],
    [await KEY.sign({ ...claims, exp: NOW }), "it has expired"],
    [await KEY.sign({ ...claims, nbf: NOW + 1 }), "it is not valid yet"],
    [await KEY.sign({ ...claims, iss: "them" }), "its iss is not one that is configured"],
    [await KEY.sign({ ...claims, aud: "bank" }), "its aud is not for us"],
    [await KEY.sign({ ...claims, exp: "1" }), "its exp is not a number"],
    [await KEY.sign(claims, { alg: "HS256" }), "no key of its issuer may be used with its alg"],
    [await KEY.sign(claims, { alg: "none" }), "alg none: it is not signed"],
    [await KEY.sign(claims, { crit: ["x"] }), "it has a critical header that is not understood"],
    [await other.sign(claims), "its signature is not of a key of its issuer"],
  ];
  for (const [text, reason] of cases) {
    assertEquals(await token(host, "verify", ...by, text), {
      code: 65,
      out: "",
      err: `refused: ${reason}\n`,
    });
    const { code, out } = await token(host, "verify", "--json", ...by, text);
    assertEquals([code, JSON.parse(out)], [65, { ok: false, reason }]);
  }
  const wanting = await token(host, "issue", "--config", "gateway.yaml");
  const refused = await token(host, "verify", "--config", "gateway.yaml", wanting.out.trim());
  assertEquals(refused.err, "refused: its claim tenant is not as it must be\n");
});

Deno.test("token tells apart a bad key, a missing file, a provider that is away and a wrong command line", async () => {
  const host = hostWith(FILES);
  const cases: [string[], number, RegExp][] = [
    [["issue", "--secret-file", "short"], 65, /^sidecar: short: the secret is too short/],
    [["verify", "--secret-file", "short", "x"], 65, /shorter than 32 bytes\n$/],
    [["issue", "--key-file", "public.pem"], 65, /not a private key in PEM/],
    [["issue", "--key-file", "private.pem", "--algorithm", "RS256"], 65, /for RS256\n$/],
    [["issue", "--key-file", "none.pem"], 66, /cannot read none\.pem/],
    [["issue"], 64, /no key, expected one of --config/],
    [["issue", "--config", "a", "--key-file", "b"], 64, /more than one key/],
    [["issue", "--secret-file", "secret", "--algorithm", "none"], 64, /unknown algorithm "none"/],
    [["issue", "--secret-file", "secret", "--claim", "x"], 64, /expected NAME=VALUE/],
    [["issue", "--secret-file", "secret", "--claim-json", "x=y"], 64, /not JSON/],
    [["issue", "--secret-file", "secret", "--expires-in", "0"], 64, /--expires-in/],
    [["verify", "--jwks", "jwks.json", "a", "b"], 64, /unexpected argument "b"/],
    [["revoke"], 64, /unknown action "revoke"/],
    [[], 64, /missing action/],
  ];
  for (const [args, exit, message] of cases) {
    const { code, err } = await token(host, ...args);
    assertEquals(code, exit, args.join(" "));
    assertMatch(err, message);
  }
  const text = await KEY.sign({ exp: NOW + 60 });
  const away = await token(host, "verify", "--jwks", "https://id.example/away", text);
  assertEquals(away, {
    code: 69,
    out: "",
    err: "sidecar: the keys cannot be had: connection refused\n",
  });
});

Deno.test("token never prints a secret, whatever goes wrong", async () => {
  const host = hostWith({
    ...FILES,
    "bad.yaml": FILES["gateway.yaml"].replace("issuer: us", "issuer: []"),
  });
  const runs = [
    ["issue", "--key-file", "secret"],
    ["verify", "--key-file", "secret", "x"],
    ["verify", "--key-file", "private.pem", await KEY.sign({ exp: NOW + 60 })],
    ["verify", "--jwks", "secret", await KEY.sign({ exp: NOW + 60 })],
    ["issue", "--config", "bad.yaml"],
    ["issue", "--config", "gateway.yaml", "--algorithm", "HS512"],
  ];
  for (const args of runs) {
    const { code, out, err } = await token(host, ...args);
    assertEquals(code === 0, false, args.join(" "));
    for (const secret of [SECRET, FILES["private.pem"].split("\n")[1]!]) {
      assertEquals((out + err).includes(secret), false, args.join(" "));
    }
  }
  assertStringIncludes(
    (await token(host, "issue", "--config", "bad.yaml")).err,
    "gateway.jwt.issuer",
  );
});
