import { assertEquals, assertThrows } from "@std/assert";
import { LineCounter } from "yaml";
import { ConfigError } from "../errors.ts";
import { formatPath, Positions } from "./positions.ts";

Deno.test("formatPath writes a path as an operator would", () => {
  assertEquals(formatPath([]), "");
  assertEquals(
    formatPath(["gateway", "routes", 2, "match", "path"]),
    "gateway.routes[2].match.path",
  );
  assertEquals(
    formatPath(["registry", "static", "user-service", 0]),
    "registry.static.user-service[0]",
  );
  assertEquals(formatPath(["claims", "a.b"]), 'claims["a.b"]');
});

Deno.test("Positions throws its problems sorted by line and column, or nothing", () => {
  const lines = new LineCounter();
  lines.addNewLine(0);
  lines.addNewLine(10);
  const positions = new Positions("f.yaml", lines);
  positions.throwIfAny();
  positions.reportAt(12, ["b"], "third");
  positions.reportAt(5, ["c"], "second");
  positions.reportAt(0, ["d"], "first");
  const { problems } = assertThrows(() => positions.throwIfAny(), ConfigError);
  assertEquals(problems.map(({ message }) => message), ["first", "second", "third"]);
});

Deno.test("Positions says nothing more about a scalar that could not be read", () => {
  const positions = new Positions("f.yaml", new LineCounter());
  positions.note(["a"], { key: 0, value: 3 });
  positions.reportBroken(["a"], "broken");
  positions.report(["a"], "missing");
  positions.report(["a", "b"], "missing below");
  const { problems } = assertThrows(() => positions.throwIfAny(), ConfigError);
  assertEquals(problems.map(({ message }) => message), ["missing below", "broken"]);
});
