import { assertEquals, assertStringIncludes } from "@std/assert";
import { runtimeWarning } from "./runtime_warning.ts";

Deno.test("runtimeWarning names the versions that abort inside nghttp2 and the one to use", () => {
  for (const version of ["2.9.4", "2.9.5", "2.9.6"]) {
    const warning = runtimeWarning(version) ?? "";
    assertStringIncludes(warning, `Deno ${version}`);
    assertStringIncludes(warning, "use 2.9.3");
  }
});

Deno.test("runtimeWarning is silent about every other version", () => {
  for (const version of ["2.9.0", "2.9.3", "2.9.7", "2.9.40", "3.0.0", "2.7.11"]) {
    assertEquals(runtimeWarning(version), null);
  }
});
