import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Certificate } from "../net/certificate.ts";
import { runCli } from "./cli.ts";
import { FakeHost, FakeSidecar } from "./fake_host.ts";

async function ca(host: FakeHost, ...args: string[]) {
  host.stdout = host.stderr = "";
  const start = () => Promise.resolve(new FakeSidecar(host.events));
  const code = await runCli(["ca", ...args], { host, start });
  return { code, out: host.stdout, err: host.stderr };
}

const ISSUE = ["issue", "--service", "user-service", "--out", "out"];

Deno.test("ca init makes a root once, and leaves the one that is there", async () => {
  const host = new FakeHost();
  const { code, out } = await ca(
    host,
    "init",
    "--directory",
    "a",
    "--trust-domain",
    "shop.example",
  );
  assertEquals([code, out], [0, "a/root.pem: the root of shop.example, with its private key\n"]);
  const root = host.identityFiles.texts.get("a/root.pem")!;
  assertEquals(new Certificate(root).uris, ["spiffe://shop.example"]);
  const again = await ca(host, "init", "--directory", "a");
  assertEquals([again.code, host.identityFiles.texts.get("a/root.pem")], [65, root]);
  assertStringIncludes(again.err, "there is a root already");
});

Deno.test("ca issue writes certificate, key and trust of one service", async () => {
  const host = new FakeHost();
  await ca(host, "init");
  const { code, out } = await ca(host, ...ISSUE, "--namespace", "eu", "--ttl", "72h");
  assertEquals(code, 0);
  assertMatch(out, /^out: .* of spiffe:\/\/mesh\.local\/ns\/eu\/svc\/user-service, good until /);
  const text = (name: string) => host.identityFiles.texts.get(`out/${name}.pem`)!;
  const leaf = new Certificate(text("certificate"));
  assertEquals(leaf.uris, ["spiffe://mesh.local/ns/eu/svc/user-service"]);
  assertEquals(leaf.notAfterMs, host.clock.epoch() + 72 * 3_600_000);
  assert(leaf.isSignedBy(new Certificate(text("trust"))));
  assertStringIncludes(text("key"), "BEGIN PRIVATE KEY");
});

Deno.test("ca issue says what it cannot do", async () => {
  const host = new FakeHost();
  const without = await ca(host, ...ISSUE);
  assertEquals([without.code, without.err], [
    65,
    "sidecar: .mesh/ca/root.pem: there is no such file\n",
  ]);
  await ca(host, "init");
  const other = await ca(host, ...ISSUE, "--trust-domain", "shop.example");
  assertEquals(other.code, 65);
  assertStringIncludes(other.err, "not of shop.example");
  assertEquals(host.identityFiles.texts.has("out/key.pem"), false);
  for (const wrong of [["issue"], [...ISSUE, "--ttl", "-1s"], [...ISSUE, "--namespace", "a/b"]]) {
    assertEquals((await ca(host, ...wrong)).code, 64, wrong.join(" "));
  }
});

Deno.test("ca show tells of certificates, and never of a key", async () => {
  const host = new FakeHost();
  await ca(host, "init");
  await ca(host, ...ISSUE);
  const { code, out } = await ca(host, "show");
  assertEquals(code, 0);
  assertMatch(out, /^\.mesh\/ca\/root\.pem: root or intermediate, good\n/);
  assertStringIncludes(out, "spiffe://mesh.local");
  assert(!out.includes("PRIVATE"), out);
  const json = await ca(host, "show", "--json", "out/certificate.pem", "out/trust.pem");
  const shown = JSON.parse(json.out);
  assertEquals(shown.map(({ kind, state }: { kind: string; state: string }) => [kind, state]), [
    ["leaf", "good"],
    ["root or intermediate", "good"],
  ]);
  assertEquals(shown[0].key, "ec prime256v1");
  await host.clock.advance(25 * 3_600_000);
  assertStringIncludes((await ca(host, "show", "out/certificate.pem")).out, ": leaf, expired\n");
  host.identityFiles.write("bad", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----");
  assertEquals((await ca(host, "show", "bad")).code, 65);
  assertEquals((await ca(host, "show", "out/key.pem")).code, 65);
  assertEquals((await ca(host, "show", "nothing")).code, 66);
});

Deno.test("ca roll replaces the root in three steps, and both are trusted in between", async () => {
  const host = new FakeHost();
  await ca(host, "init");
  const trusted = async () => {
    await ca(host, ...ISSUE);
    return host.identityFiles.texts.get("out/trust.pem")!.trim().split("\n\n").join("\n")
      .split(/(?<=-----END CERTIFICATE-----)\n/);
  };
  const signer = async () => {
    await ca(host, ...ISSUE);
    const leaf = new Certificate(host.identityFiles.texts.get("out/certificate.pem")!);
    return (await trusted()).findIndex((pem) => leaf.isSignedBy(new Certificate(pem)));
  };
  const [first] = await trusted();
  assertEquals((await ca(host, "roll", "switch")).code, 65, "nothing was begun");
  assertEquals((await ca(host, "roll", "finish")).code, 65, "nothing was begun");
  assertEquals((await ca(host, "roll", "begin")).code, 0);
  const begun = await trusted();
  assertEquals([begun.length, begun[0], await signer()], [2, first, 0]);
  assertEquals((await ca(host, "roll", "begin")).code, 65, "one is under way");
  assertEquals((await ca(host, "roll", "finish")).code, 65, "the next one does not sign yet");
  assertEquals((await ca(host, "roll", "switch")).code, 0);
  const switched = await trusted();
  assertEquals(switched, [begun[1], first]);
  assertEquals(await signer(), 0);
  assertEquals((await ca(host, "roll", "finish")).code, 0);
  assertEquals(await trusted(), [begun[1]]);
  assertEquals((await ca(host, "roll", "later")).code, 64);
});
