import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  commonSettings,
  describeSettings,
  parsePort,
  readSettings,
  SettingError,
} from "./settings.ts";

const table = commonSettings(8001, ".mesh/data/user.db");
const noEnv = () => undefined;

Deno.test("readSettings prefers the flag to the environment, and both to the default", () => {
  const env = (name: string) => ({ PORT: "9000", HOST: "127.0.0.2", DATABASE_FILE: "" })[name];
  assertEquals(readSettings(table, ["--port", "9001"], env), {
    HOST: "127.0.0.2",
    PORT: "9001",
    DATABASE_FILE: ".mesh/data/user.db",
  });
});

Deno.test("readSettings takes a flag's value after a space or an equals sign", () => {
  const args = ["--database-file=/tmp/a=b.db", "--host", "::1"];
  const { DATABASE_FILE, HOST } = readSettings(table, args, noEnv);
  assertEquals([DATABASE_FILE, HOST], ["/tmp/a=b.db", "::1"]);
});

Deno.test("readSettings refuses an unknown flag and a flag without its value as usage errors", () => {
  const unknown = assertThrows(() => readSettings(table, ["--prot=1"], noEnv), SettingError);
  assertEquals([unknown.exitCode, unknown.message], [64, 'unknown argument "--prot=1"']);
  const bare = assertThrows(() => readSettings(table, ["--port"], noEnv), SettingError);
  assertEquals([bare.exitCode, bare.message], [64, "--port needs a value"]);
});

Deno.test("parsePort takes 0 to 65535 and nothing else", () => {
  assertEquals([parsePort("0"), parsePort("65535")], [0, 65_535]);
  for (const text of ["65536", "-1", "80a", "1e3", "8001 "]) {
    assertEquals(assertThrows(() => parsePort(text), SettingError).exitCode, 78);
  }
});

Deno.test("describeSettings names every flag, its variable and its default", () => {
  const text = describeSettings("user-service", table);
  assertStringIncludes(text, "--database-file VALUE  (or DATABASE_FILE)");
  assertStringIncludes(text, "default 8001");
});
