// .proto files to descriptors: finds what they import, links them, and keeps the google.api.http option of every method.
// Reads no files: the sources and a way to ask for imports are given.
import type { FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import { applyHttpOption } from "./http_option.ts";
import { fillJsonNames } from "./json_names.ts";
import { knownFiles } from "./known_files.ts";
import { type Place, schemaError } from "./lexer.ts";
import { linkFiles } from "./link.ts";
import type { ParsedFile } from "./parsed_file.ts";
import { parseProto } from "./parse_file.ts";

/** The text of a file that is imported, by the name it is imported as; undefined when there is none. */
export type ResolveImport = (name: string) => string | undefined | Promise<string | undefined>;

export interface CompiledSchema {
  readonly files: ReadonlyMap<string, FileDescriptorProto>;
  /** Where each method's google.api.http stands, by the method's full name. */
  readonly httpPlaces: ReadonlyMap<string, Place>;
}

/** Throws ConfigError: what is wrong, and at which place. */
export async function compileProtos(
  sources: ReadonlyMap<string, string>,
  resolveImport: ResolveImport,
): Promise<CompiledSchema> {
  const files = await collect(sources, resolveImport);
  linkFiles(files);
  const httpPlaces = new Map<string, Place>();
  for (const { methods } of files.values()) {
    for (const method of methods) {
      const place = applyHttpOption(method);
      if (place !== undefined) httpPlaces.set(method.fullName, place);
    }
  }
  const protos = [...files.values()].map(({ proto }) => proto);
  for (const proto of protos) fillJsonNames(proto);
  return { files: new Map(protos.map((proto) => [proto.name, proto])), httpPlaces };
}

/** The sources and everything that they import. A file of one's own goes before a known one, but for google/protobuf. */
async function collect(
  sources: ReadonlyMap<string, string>,
  resolveImport: ResolveImport,
): Promise<Map<string, ParsedFile>> {
  const known = knownFiles().files;
  const files = new Map<string, ParsedFile>();
  for (const [name, source] of sources) files.set(name, parseProto(name, source));
  // A map hands out what is added while it is walked.
  for (const { imports } of files.values()) {
    for (const { name, place } of imports) {
      if (files.has(name)) continue;
      const isLibrary = name.startsWith("google/protobuf/") && known.has(name);
      const source = isLibrary ? undefined : await resolveImport(name);
      const file = source === undefined ? known.get(name) : parseProto(name, source);
      if (file === undefined) throw schemaError(place, `"${name}" is not found`);
      files.set(name, file);
    }
  }
  return files;
}
