// What the parser makes of one .proto file: its descriptor, and the loose ends that linking ties up.
import { create } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  type FieldDescriptorProto,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  type MethodDescriptorProto,
} from "@bufbuild/protobuf/wkt";
import type { Place } from "./lexer.ts";
import type { Option } from "./options.ts";

export interface Import {
  readonly name: string;
  readonly isPublic: boolean;
  readonly place: Place;
}

/** A name of a type, to be looked up from `scope` outward. */
export type Reference =
  & { readonly name: string; readonly scope: string; readonly place: Place }
  & (
    | { readonly kind: "field" | "extendee"; readonly field: FieldDescriptorProto }
    | { readonly kind: "input" | "output"; readonly method: MethodDescriptorProto }
  );

/** A type that this file defines. */
export interface Definition {
  readonly kind: "message" | "enum";
  readonly place: Place;
}

export interface MethodOptions {
  readonly method: MethodDescriptorProto;
  /** `package.Service.Method`. */
  readonly fullName: string;
  readonly options: readonly Option[];
}

export interface ParsedFile {
  readonly proto: FileDescriptorProto;
  readonly imports: Import[];
  readonly references: Reference[];
  /** Full names of messages and enums. */
  readonly definitions: Map<string, Definition>;
  readonly methods: MethodOptions[];
}

export function newParsedFile(name: string): ParsedFile {
  return {
    proto: create(FileDescriptorProtoSchema, { name }),
    imports: [],
    references: [],
    definitions: new Map(),
    methods: [],
  };
}

/** A file that came compiled, as one that others may import. */
export function parsedOf(proto: FileDescriptorProto): ParsedFile {
  const file: ParsedFile = { ...newParsedFile(proto.name), proto };
  const place = { file: proto.name, line: 1, column: 1 };
  const addTypes = (scope: string, messages: DescriptorProto[], enums: EnumDescriptorProto[]) => {
    const prefix = scope === "" ? "" : `${scope}.`;
    for (const { name } of enums) file.definitions.set(prefix + name, { kind: "enum", place });
    for (const { name, nestedType, enumType } of messages) {
      file.definitions.set(prefix + name, { kind: "message", place });
      addTypes(prefix + name, nestedType, enumType);
    }
  };
  addTypes(proto.package, proto.messageType, proto.enumType);
  for (const [index, name] of proto.dependency.entries()) {
    file.imports.push({ name, isPublic: proto.publicDependency.includes(index), place });
  }
  return file;
}
