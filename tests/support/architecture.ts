// Holds sources against dependency_table.ts and the house rules, and says what breaks them. Reads no files itself.
import { basename, dirname, join } from "node:path/posix";
import {
  type FolderRule,
  FOLDERS,
  IO_GLOBALS,
  IO_PLACES,
  MAX_LINES,
  PURE_NODE_MODULES,
  SHARED_FILES,
} from "./dependency_table.ts";
import { type Import, type ModuleScan, scanModule } from "./module_scan.ts";

/** Path from the repository's root, with slashes, to text. */
export type Sources = ReadonlyMap<string, string>;

interface Module {
  readonly path: string;
  readonly scan: ModuleScan;
}

/** Every violation as `PATH:LINE: what`, in order of path. */
export function findViolations(sources: Sources): string[] {
  const modules = [...sources].filter(([path]) => isOurs(path) && path.endsWith(".ts"))
    .map(([path, source]) => ({ path, scan: scanModule(path, source) }));
  const shipped = modules.filter(({ path }) => !isTest(path));
  return [
    ...[...sources].flatMap(([path, source]) => textViolations(path, source)),
    ...modules.flatMap((module) => sideViolations(module)),
    ...shipped.flatMap((module) => [
      ...module.scan.imports.flatMap((edge) => importViolations(module.path, edge)),
      ...ioViolations(module),
      ...module.scan.unwanted.map(({ name, line }) => `${module.path}:${line}: ${name}`),
    ]),
    ...findCycles(shipped).map((cycle) => `${cycle[0]}:1: cycle: ${cycle.join(" > ")}`),
  ].sort();
}

function isOurs(path: string): boolean {
  return /^(sidecar|services)\//.test(path);
}

/** Tests and what only they import: x_test.ts, x_contract.ts, test_x.ts, fake_x.ts. They may reach everything of their own side. */
function isTest(path: string): boolean {
  return /(_test|_contract)\.ts$|^(test|fake)_/.test(basename(path));
}

/** `http1` for sidecar/http1/a/b.ts, `errors` for sidecar/errors.ts, `services/user` for services/user/a.ts. */
function folderOf(path: string): string {
  const [top = "", second = ""] = path.split("/");
  if (top !== "sidecar") return `${top}/${second}`;
  const folder = second.replace(/\.ts$/, "");
  return /^app_/.test(folder) ? "app" : folder; // the composition root in several files
}

/** Rules of text alone, for every kind of file. */
function textViolations(path: string, source: string): string[] {
  const lines = source.split("\n");
  const found: string[] = [];
  if (isOurs(path) && /^(mod|index)\.ts$/.test(basename(path))) found.push(`${path}:1: barrel`);
  if (isOurs(path) && lines.length - 1 > MAX_LINES) {
    found.push(`${path}:${lines.length - 1}: longer than ${MAX_LINES} lines`);
  }
  for (const [index, line] of lines.entries()) {
    const at = `${path}:${index + 1}:`;
    if (UNFINISHED.test(line)) found.push(`${at} unfinished: ${line.trim()}`);
    if (grantsAll(path, line)) found.push(`${at} grants every permission`);
  }
  return found;
}

// Written so that this file does not match itself.
const UNFINISHED = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "XX" + "X"].join("|")})\\b`);
const ALL_PERMISSIONS = new RegExp(`(^|[\\s"'\`=])(-A|--allow${"-all"})($|[\\s"'\`,])`);

/** In what people run. Tests may name the flag: they show that it is forwarded. */
function grantsAll(path: string, line: string): boolean {
  return /^(deno\.json$|deploy\/|\.ci\/)/.test(path) && ALL_PERMISSIONS.test(line);
}

/** The two sides never meet, and nothing shipped needs tests or deploy. */
function sideViolations({ path, scan }: Module): string[] {
  const [side = ""] = path.split("/");
  return scan.imports.flatMap(({ specifier, line }) => {
    const target = resolve(path, specifier);
    if (target === undefined || target.startsWith(`${side}/`)) return [];
    if (SHARED_FILES.includes(target)) return [];
    if (isTest(path) && target.startsWith("tests/")) return [];
    return [`${path}:${line}: ${side} may not import ${target}`];
  });
}

function resolve(from: string, specifier: string | undefined): string | undefined {
  return specifier?.startsWith(".") ? join(dirname(from), specifier) : undefined;
}

function importViolations(path: string, edge: Import): string[] {
  const at = `${path}:${edge.line}:`;
  if (edge.specifier === undefined) return [`${at} import of a computed name`];
  const target = resolve(path, edge.specifier);
  if (target !== undefined) return directionViolations(path, target, edge);
  return mayUse(path, edge.specifier)
    ? []
    : [`${at} ${folderOf(path)} may not use ${edge.specifier}`];
}

function directionViolations(path: string, target: string, edge: Import): string[] {
  const at = `${path}:${edge.line}:`;
  if (SHARED_FILES.includes(target)) return [];
  if (isTest(target)) return [`${at} imports a test: ${target}`];
  const [from, to] = [folderOf(path), folderOf(target)];
  if (from === to || mayImport(from, to, edge.isTypeOnly)) return [];
  const types = FOLDERS[from]?.types?.includes(to) ? " but types" : "";
  return [`${at} ${from} may not import ${to}${types}`];
}

function mayImport(from: string, to: string, isTypeOnly: boolean): boolean {
  // A service is its own house: it shares services/lib and nothing else.
  if (from.startsWith("services/")) return to === "services/lib";
  const rule: FolderRule | undefined = FOLDERS[from];
  return rule !== undefined &&
    (rule.imports.includes(to) || isTypeOnly && rule.types?.includes(to) === true);
}

/** node: modules and packages. Services are plain handlers and choose their own. */
function mayUse(path: string, specifier: string): boolean {
  if (/^(npm|jsr|https?|file|data):/.test(specifier)) return false; // versions stand in deno.json
  if (path.startsWith("services/")) return true;
  if (specifier.startsWith("node:")) {
    const [module = ""] = specifier.split("/");
    return PURE_NODE_MODULES.includes(module) || mayDoIo(path);
  }
  const name = specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
  return FOLDERS[folderOf(path)]?.packages?.includes(name) === true;
}

function mayDoIo(path: string): boolean {
  return IO_PLACES.some((place) => place.test(path));
}

function ioViolations({ path, scan }: Module): string[] {
  if (!path.startsWith("sidecar/") || mayDoIo(path)) return [];
  const globals = scan.called.filter(({ name }) => IO_GLOBALS.includes(name));
  return [...scan.deno, ...globals].map(({ name, line }) => `${path}:${line}: names ${name}`);
}

/** Each cycle of value imports once, as the files on it with the first repeated at the end. */
function findCycles(modules: readonly Module[]): string[][] {
  const edges = new Map(modules.map(({ path, scan }) => [path, valueTargets(path, scan)]));
  const done = new Set<string>();
  const cycles: string[][] = [];
  const visit = (path: string, trail: readonly string[]) => {
    const start = trail.indexOf(path);
    if (start >= 0) cycles.push([...trail.slice(start), path]);
    if (start >= 0 || done.has(path)) return;
    for (const target of edges.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of [...edges.keys()].sort()) visit(path, []);
  return cycles;
}

function valueTargets(path: string, scan: ModuleScan): string[] {
  return scan.imports.filter((edge) => !edge.isTypeOnly)
    .flatMap(({ specifier }) => resolve(path, specifier) ?? []);
}
