import { assertEquals, assertStringIncludes } from "@std/assert";
import { runCli } from "./cli.ts";
import { FakeHost, FakeSidecar } from "./fake_host.ts";

const SOUND = `service: { name: a, address: 10.0.0.5, app: { http: 127.0.0.1:8001 } }
registry: { files: {} }
`;

async function check(files: Record<string, string>, ...args: string[]) {
  const host = new FakeHost();
  for (const [name, text] of Object.entries(files)) host.files.set(name, text);
  const start = () => Promise.resolve(new FakeSidecar(host.events));
  const code = await runCli(["check", "--config", "a.yaml", ...args], { host, start });
  return { code, out: host.stdout, err: host.stderr };
}

Deno.test("check says that a sound file is ok and exits 0", async () => {
  assertEquals(await check({ "a.yaml": SOUND }), { code: 0, out: "a.yaml: ok\n", err: "" });
});

Deno.test("check prints each problem as one line on stderr and exits 65", async () => {
  assertEquals(await check({ "a.yaml": `${SOUND}log: { level: x, levl: y }\n` }), {
    code: 65,
    out: "",
    err:
      "a.yaml:3:15: log.level: not a value of this setting, expected debug, info, warn or error\n" +
      'a.yaml:3:18: log.levl: unknown key "levl", did you mean "level"?\n',
  });
});

Deno.test("check reads the policy file that the bootstrap names", async () => {
  const bootstrap = `${SOUND}policySource: { file: p.yaml }\n`;
  const sound = await check({ "a.yaml": bootstrap, "p.yaml": "upstreams: {}" });
  assertEquals(sound, { code: 0, out: "a.yaml: ok\np.yaml: ok\n", err: "" });
  const broken = await check({ "a.yaml": bootstrap, "p.yaml": "upstream: {}" });
  assertEquals(broken, {
    code: 65,
    out: "",
    err: 'p.yaml:1:1: upstream: unknown key "upstream", did you mean "upstreams"?\n',
  });
});

Deno.test("check reads a policy by itself", async () => {
  const host = new FakeHost();
  const start = () => Promise.resolve(new FakeSidecar(host.events));
  host.files.set("good.yaml", "upstreams: {}").set("bad.yaml", "upstream: {}");
  const run = (...args: string[]) => runCli(["check", ...args], { host, start });
  assertEquals([await run("--policy", "good.yaml"), host.stdout], [0, "good.yaml: ok\n"]);
  assertEquals(await run("--policy", "bad.yaml"), 65);
  assertStringIncludes(host.stderr, 'bad.yaml:1:1: upstream: unknown key "upstream"');
  assertEquals(await run("--policy", "bad.yaml", "--config", "a.yaml"), 64);
});

Deno.test("check exits 66 when a file cannot be read", async () => {
  const none = await check({});
  assertEquals(none, { code: 66, out: "", err: "sidecar: cannot read a.yaml: no such file\n" });
  const noPolicy = await check({ "a.yaml": `${SOUND}policySource: { file: p.yaml }\n` });
  assertEquals(noPolicy.code, 66);
  assertStringIncludes(noPolicy.err, "cannot read p.yaml: no such file");
});

Deno.test("check --json prints the same for machines on stdout", async () => {
  const sound = await check({ "a.yaml": SOUND }, "--json");
  assertEquals(sound.code, 0);
  assertEquals(JSON.parse(sound.out), { ok: true, files: ["a.yaml"], problems: [] });
  const broken = await check({ "a.yaml": `${SOUND}workers: 2\n` }, "--json");
  assertEquals([broken.code, broken.err], [65, ""]);
  assertEquals(JSON.parse(broken.out), {
    ok: false,
    files: ["a.yaml"],
    problems: [{
      file: "a.yaml",
      line: 3,
      column: 10,
      path: "workers",
      message: "more than one worker is not in this version, expected 1",
    }],
  });
});
