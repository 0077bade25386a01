import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { runCli } from "./cli.ts";
import { FakeHost, FakeSidecar } from "./fake_host.ts";
import { VERSION } from "./version.ts";

function cli(host: FakeHost, ...args: string[]): Promise<number> {
  return runCli(args, { host, start: () => Promise.resolve(new FakeSidecar(host.events)) });
}

Deno.test("sidecar without a command prints its help on stderr and exits 64", async () => {
  const host = new FakeHost();
  assertEquals(await cli(host), 64);
  assertMatch(host.stderr, /^Usage: sidecar COMMAND/);
  assertEquals(host.stdout, "");
});

Deno.test("sidecar --help lists each command and an example", async () => {
  for (const flag of ["--help", "-h"]) {
    const host = new FakeHost();
    assertEquals(await cli(host, flag), 0);
    for (const word of ["run", "check", "schema", "token", "Example:"]) {
      assertStringIncludes(host.stdout, word);
    }
  }
});

Deno.test("every command has its own help with usage and an example", async () => {
  for (const command of ["run", "check", "schema", "token"]) {
    const host = new FakeHost();
    assertEquals(await cli(host, command, "--config", "x", "--help"), 0);
    assertStringIncludes(host.stdout, `Usage: sidecar ${command}`);
    assertMatch(host.stdout, /^Examples?:\n {2}sidecar /m);
    assertEquals(host.stderr, "");
  }
});

Deno.test("--help after -- belongs to the app", async () => {
  const host = new FakeHost();
  assertEquals(await cli(host, "run", "--", "app", "--help"), 64);
  assertStringIncludes(host.stderr, "missing --config FILE");
});

Deno.test("sidecar --version prints the version of the program and of Deno", async () => {
  for (const flag of ["--version", "-V"]) {
    const host = new FakeHost();
    assertEquals(await cli(host, flag), 0);
    assertEquals(host.stdout, `sidecar ${VERSION} (deno 2.9.3)\n`);
  }
});

Deno.test("an unknown command or option exits 64 with a suggestion", async () => {
  const host = new FakeHost();
  assertEquals(await cli(host, "chekc"), 64);
  assertEquals(
    host.stderr,
    'sidecar: unknown command "chekc", did you mean "check"?\nTry: sidecar --help\n',
  );
  const other = new FakeHost();
  assertEquals(await cli(other, "--verbose"), 64);
  assertEquals(other.stderr, 'sidecar: unknown option "--verbose"\nTry: sidecar --help\n');
});

Deno.test("a wrong command line of a command exits 64 and names its help", async () => {
  const cases: [string[], string][] = [
    [["run"], "sidecar run: missing --config FILE"],
    [["run", "--config"], "sidecar run: option '--config <value>' argument missing"],
    [["run", "--config", "a", "--"], "sidecar run: missing COMMAND after --"],
    [["run", "--config", "a", "b"], 'sidecar run: unexpected argument "b"'],
    [["run", "--confg", "a"], "sidecar run: unknown option '--confg'"],
    [["check"], "sidecar check: missing --config FILE"],
    [["check", "--config", "a", "b"], 'sidecar check: unexpected argument "b"'],
    [
      ["schema", "policies"],
      'sidecar schema: unknown document "policies", expected bootstrap or policy',
    ],
    [["schema", "policy", "x"], 'sidecar schema: unexpected argument "x"'],
  ];
  for (const [args, message] of cases) {
    const host = new FakeHost();
    assertEquals(await cli(host, ...args), 64, args.join(" "));
    assertEquals(host.stderr, `${message}\nTry: sidecar ${args[0]} --help\n`);
  }
});

Deno.test("a bug becomes one line and exit 70", async () => {
  const host = new FakeHost();
  const start = () => Promise.resolve(new FakeSidecar(host.events));
  host.out = () => {
    throw new TypeError("x is not a function");
  };
  assertEquals(await runCli(["schema"], { host, start }), 70);
  assertMatch(host.stderr, /^sidecar: internal error: TypeError: x is not a function \(at .*\)\n$/);
});

Deno.test("what was logged is flushed before the process ends", async () => {
  const host = new FakeHost();
  await cli(host, "--version");
  assertEquals(host.events, ["flush"]);
});
