// Ties the files of a schema together: every name of a type becomes the full name of one that the file can see.
import { FieldDescriptorProto_Type as Type } from "@bufbuild/protobuf/wkt";
import { schemaError } from "./lexer.ts";
import type { Definition, ParsedFile, Reference } from "./parsed_file.ts";

/** By the name of the file, as imports write it. */
export type Files = ReadonlyMap<string, ParsedFile>;

/** Resolves the references of every file. All that they import must be among them. Throws ConfigError. */
export function linkFiles(files: Files): void {
  checkDefinedOnce(files);
  for (const file of files.values()) {
    const visible = visibleTypes(file, files);
    for (const reference of file.references) resolve(reference, visible, files);
  }
}

function checkDefinedOnce(files: Files): void {
  const owners = new Map<string, string>();
  for (const [fileName, { definitions }] of files) {
    for (const [name, { place }] of definitions) {
      const owner = owners.get(name);
      if (owner !== undefined) {
        throw schemaError(place, `"${name}" is defined in "${owner}" already`);
      }
      owners.set(name, fileName);
    }
  }
}

/** What the file defines and imports, and what those import publicly. */
function visibleTypes(file: ParsedFile, files: Files): Map<string, Definition> {
  const visible = new Map(file.definitions);
  const seen = new Set<string>();
  const add = (name: string) => {
    const imported = files.get(name);
    if (imported === undefined || seen.has(name)) return;
    seen.add(name);
    for (const [type, definition] of imported.definitions) visible.set(type, definition);
    for (const { name, isPublic } of imported.imports) if (isPublic) add(name);
  };
  for (const { name } of file.imports) add(name);
  return visible;
}

function resolve(
  reference: Reference,
  visible: ReadonlyMap<string, Definition>,
  files: Files,
): void {
  const name = find(reference, (candidate) => visible.has(candidate));
  const kind = name === undefined ? undefined : visible.get(name)!.kind;
  if (name === undefined || kind === undefined) throw notFound(reference, files);
  if (reference.kind !== "field" && kind !== "message") {
    throw schemaError(reference.place, `"${name}" is an enum, expected a message`);
  }
  switch (reference.kind) {
    case "field":
      reference.field.typeName = `.${name}`;
      reference.field.type = kind === "enum" ? Type.ENUM : Type.MESSAGE;
      return;
    case "extendee":
      reference.field.extendee = `.${name}`;
      return;
    case "input":
      reference.method.inputType = `.${name}`;
      return;
    case "output":
      reference.method.outputType = `.${name}`;
  }
}

/** From the innermost scope outward, as in C++; a leading dot makes the name full. */
function find(
  { name, scope }: Reference,
  isThere: (candidate: string) => boolean,
): string | undefined {
  if (name.startsWith(".")) return isThere(name.slice(1)) ? name.slice(1) : undefined;
  for (
    let outer = scope;
    outer !== "";
    outer = outer.slice(0, Math.max(outer.lastIndexOf("."), 0))
  ) {
    if (isThere(`${outer}.${name}`)) return `${outer}.${name}`;
  }
  return isThere(name) ? name : undefined;
}

function notFound(reference: Reference, files: Files): Error {
  for (const [file, { definitions }] of files) {
    const name = find(reference, (candidate) => definitions.has(candidate));
    if (name === undefined) continue;
    return schemaError(
      reference.place,
      `"${name}" is defined in "${file}", which is not imported`,
    );
  }
  return schemaError(reference.place, `type "${reference.name}" is not defined`);
}
