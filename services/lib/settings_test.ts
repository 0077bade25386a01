import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  commonSettings,
  describeSettings,
  parsePort,
  readSettings,
  SettingError,
} from "./settings.ts";

const table = commonSettings({
  port: 8001,
  grpcPort: 50051,
  databaseFile: ".mesh/data/user.db",
});
const noEnv = () => undefined;

Deno.test("readSettings prefers the flag to the environment, and both to the default", () => {
  const env = (name: string) => ({ PORT: "9000", HOST: "127.0.0.2", DATABASE_FILE: "" })[name];
  assertEquals(readSettings(table, ["--port", "9001"], env), {
    HOST: "127.0.0.2",
    PORT: "9001",
    GRPC_PORT: "50051",
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
  assertEquals([parsePort("PORT", "0"), parsePort("PORT", "65535")], [0, 65_535]);
  for (const text of ["65536", "-1", "80a", "1e3", "8001 "]) {
    const error = assertThrows(() => parsePort("GRPC_PORT", text), SettingError, "GRPC_PORT must");
    assertEquals(error.exitCode, 78);
  }
});

Deno.test("describeSettings names every flag, its variable and its default", () => {
  const text = describeSettings("user-service", table);
  assertStringIncludes(text, "--database-file VALUE  (or DATABASE_FILE)");
  assertStringIncludes(text, "default 8001");
});
