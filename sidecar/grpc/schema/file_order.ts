// The files of a schema so that each stands behind what it imports.
import type { FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import { schemaError } from "./lexer.ts";

/** Throws ConfigError where an import is missing, or leads back to its own file. */
export function orderFiles(files: ReadonlyMap<string, FileDescriptorProto>): FileDescriptorProto[] {
  const ordered = new Set<FileDescriptorProto>();
  const visit = (name: string, trail: readonly string[]) => {
    const file = files.get(name);
    const importer = trail.at(-1) ?? name;
    const place = { file: importer, line: 1, column: 1 };
    if (file === undefined) {
      throw schemaError(place, `"${name}" is imported and missing (protoc: --include_imports)`);
    }
    if (ordered.has(file)) return;
    if (trail.includes(name)) {
      throw schemaError(place, `imports in a circle: ${[...trail, name].join(" > ")}`);
    }
    for (const dependency of file.dependency) visit(dependency, [...trail, name]);
    ordered.add(file);
  };
  for (const name of files.keys()) visit(name, []);
  return [...ordered];
}
