// The schemas everybody has: google/protobuf, google/api/http and google/rpc, compiled when first asked for.
import { create, createFileRegistry, type FileRegistry } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { GOOGLE_PROTOBUF, GOOGLE_SOURCES } from "./google_sources.ts";
import { linkFiles } from "./link.ts";
import { fillJsonNames } from "./json_names.ts";
import { type ParsedFile, parsedOf } from "./parsed_file.ts";
import { parseProto } from "./parse_file.ts";

interface KnownFiles {
  /** By name; each behind those that it imports. */
  readonly files: ReadonlyMap<string, ParsedFile>;
  readonly registry: FileRegistry;
}

let known: KnownFiles | undefined;

export function knownFiles(): KnownFiles {
  return known ??= compile();
}

function compile(): KnownFiles {
  const files = new Map<string, ParsedFile>();
  for (const proto of GOOGLE_PROTOBUF) files.set(proto.name, parsedOf(proto));
  for (const [name, source] of GOOGLE_SOURCES) files.set(name, parseProto(name, source));
  linkFiles(files);
  const file: FileDescriptorProto[] = [...files.values()].map(({ proto }) => proto);
  for (const proto of file) fillJsonNames(proto);
  return { files, registry: createFileRegistry(create(FileDescriptorSetSchema, { file })) };
}
