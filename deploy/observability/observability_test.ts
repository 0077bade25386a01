// The dashboard and the alerts ask for metrics and labels that the sidecar has.
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { parse } from "yaml";
import { ROOT } from "../build/bundle.ts";

const HERE = join(ROOT, "deploy", "observability");

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly summary: string };
}

function sources(directory: string): string[] {
  return [...Deno.readDirSync(directory)].flatMap(({ name, isDirectory }) => {
    const path = join(directory, name);
    if (isDirectory) return sources(path);
    return /(?<!_test)\.ts$/.test(name) ? [Deno.readTextFileSync(path)] : [];
  });
}

/** Names in quotes: what the sidecar registers, a histogram with its series. */
function registered(): Set<string> {
  const text = sources(join(ROOT, "sidecar")).join("\n");
  const names = [...text.matchAll(/"((?:mesh|process)_[a-z_]+)"/g)].map(([, name]) => name!);
  return new Set(names.flatMap((name) => [name, `${name}_bucket`]));
}

function asked(expression: string): string[] {
  return [...expression.matchAll(/\b(?:mesh|process)_[a-z_]+/g)].map(([name]) => name);
}

function rules(): Rule[] {
  const { groups } = parse(Deno.readTextFileSync(join(HERE, "alerts.yaml")));
  return groups.flatMap(({ rules }: { rules: Rule[] }) => rules);
}

Deno.test("every panel of the dashboard asks for metrics that there are", () => {
  const { panels } = JSON.parse(Deno.readTextFileSync(join(HERE, "dashboard.json")));
  const known = registered();
  assert(panels.length > 10);
  const ids = panels.map(({ id }: { id: number }) => id);
  assertEquals(new Set(ids).size, ids.length);
  for (const { title, targets } of panels) {
    for (const { expr } of targets) {
      const names = asked(expr);
      assert(names.length > 0, title);
      for (const name of names) assert(known.has(name), `${title}: ${name}`);
    }
  }
});

Deno.test("every alert asks for metrics that there are, and says what is the matter", () => {
  const known = registered();
  const all = rules();
  assert(all.length >= 8);
  for (const { alert, expr, annotations } of all) {
    for (const name of asked(expr)) assert(known.has(name), `${alert}: ${name}`);
    assert(annotations.summary.length > 10, alert);
  }
});

Deno.test("reasons that alerts name are reasons that the mesh has", () => {
  const errors = Deno.readTextFileSync(join(ROOT, "sidecar", "errors.ts"));
  for (const { expr } of rules()) {
    for (const [, reason] of expr.matchAll(/reason="([^"]+)"/g)) {
      assert(errors.includes(`| "${reason}"`), reason);
    }
  }
});
