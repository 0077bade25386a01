// Turns read .proto files into descriptors (google.protobuf.FileDescriptorProto), file by file and with the custom options of
// methods, such as google.api.http: the library's own converter knows neither. Whoever reflects needs both.
// Of the language it knows what the files of proto/ use: no map, no `optional`, no options but those of methods.

import protobuf from "protobufjs";
import { importName, readProtos } from "./protos.ts";

/** One file as reflection hands it out; names are full and without a leading dot. */
export interface DescribedFile {
  readonly name: string;
  readonly imports: readonly string[];
  /** Messages, their fields, enums and values, services and methods, extensions. */
  readonly symbols: readonly string[];
  readonly extensions: readonly { readonly type: string; readonly number: number }[];
  readonly bytes: Uint8Array;
}

/** What stands at the top of files: protobufjs keeps it by package and not by file. */
type Declaration = protobuf.Type | protobuf.Enum | protobuf.Service | protobuf.Field;

/** Bundled with protobufjs, which gives its content no file name. */
const descriptorFile = "google/protobuf/descriptor.proto";
const annotationsFile = "google/api/annotations.proto";

/** Reads and describes the files and all that they import. */
export function describeFiles(files: readonly string[]): DescribedFile[] {
  // The annotations bring the vocabulary of descriptors along, extended by their option.
  const root = readProtos([...files, annotationsFile], { keepCase: true });
  const descriptor = root.lookupType("google.protobuf.FileDescriptorProto");
  const byFile = Map.groupBy(declarationsIn(root), fileOf);
  return [...byFile].map(([name, declarations]) => {
    const imports = [...new Set(declarations.flatMap(usesOf).map(fileOf))]
      .filter((other) => other !== name);
    const content = fileContent(name, imports, declarations);
    return {
      name,
      imports,
      symbols: declarations.flatMap(symbolsOf),
      extensions: declarations.filter((one) => one instanceof protobuf.Field)
        .map((field) => ({ type: nameOf(extendedBy(field)), number: field.id })),
      bytes: descriptor.encode(descriptor.fromObject(content)).finish(),
    };
  });
}

function declarationsIn(namespace: protobuf.NamespaceBase): Declaration[] {
  return namespace.nestedArray.flatMap((nested): Declaration[] => {
    if (isDeclaration(nested)) return [nested];
    return nested instanceof protobuf.Namespace ? declarationsIn(nested) : [];
  });
}

function isDeclaration(object: protobuf.ReflectionObject): object is Declaration {
  return object instanceof protobuf.Type || object instanceof protobuf.Enum ||
    object instanceof protobuf.Service || object instanceof protobuf.Field;
}

function fileOf({ filename }: protobuf.ReflectionObject): string {
  return filename === null ? descriptorFile : importName(filename);
}

function nameOf(object: protobuf.ReflectionObject): string {
  return object.fullName.slice(1);
}

/** What a declaration mentions; each must be in its file or in an import. */
function usesOf(one: Declaration): protobuf.ReflectionObject[] {
  if (one instanceof protobuf.Field) {
    return [extendedBy(one), ...one.resolvedType ? [one.resolvedType] : []];
  }
  if (one instanceof protobuf.Service) {
    return one.methodsArray.flatMap((method) => [
      ...typesOf(method),
      ...Object.keys(optionsOf(method)).map((option) => lookUp(method, option)),
    ]);
  }
  if (one instanceof protobuf.Enum) return [];
  return [
    ...ownFields(one).flatMap(({ resolvedType }) => resolvedType ?? []),
    ...declarationsIn(one).flatMap(usesOf),
  ];
}

function symbolsOf(one: Declaration): string[] {
  if (one instanceof protobuf.Service) return [one, ...one.methodsArray].map(nameOf);
  if (one instanceof protobuf.Field) return [nameOf(one)];
  if (one instanceof protobuf.Enum) {
    // By the rules of C++, values are names beside their enum and not inside.
    const scope = nameOf(one).slice(0, -one.name.length);
    return [nameOf(one), ...Object.keys(one.values).map((value) => scope + value)];
  }
  return [
    nameOf(one),
    ...ownFields(one).map((field) => `${nameOf(one)}.${snake(field.name)}`),
    ...declarationsIn(one).flatMap(symbolsOf),
  ];
}

function fileContent(name: string, imports: string[], declarations: readonly Declaration[]) {
  return {
    name,
    package: nameOf(declarations[0]!.parent!),
    dependency: imports,
    messageType: declarations.filter((one) => one instanceof protobuf.Type).map(messageContent),
    enumType: declarations.filter((one) => one instanceof protobuf.Enum).map(enumContent),
    service: declarations.filter((one) => one instanceof protobuf.Service).map(serviceContent),
    extension: declarations.filter((one) => one instanceof protobuf.Field).map((field) => ({
      ...fieldContent(field),
      extendee: extendedBy(field).fullName,
    })),
    ...name === descriptorFile ? {} : { syntax: "proto3" },
  };
}

function messageContent(type: protobuf.Type): object {
  return {
    name: type.name,
    field: ownFields(type).map(fieldContent),
    oneofDecl: type.oneofsArray.map(({ name }) => ({ name: snake(name) })),
    nestedType: type.nestedArray.filter((one) => one instanceof protobuf.Type).map(messageContent),
    enumType: type.nestedArray.filter((one) => one instanceof protobuf.Enum).map(enumContent),
    // The end of a range belongs to it in .proto files, and not in descriptors.
    extensionRange: (type.extensions ?? []).map(([start = 0, end = 0]) => ({
      start,
      end: end + 1,
    })),
  };
}

function fieldContent(field: protobuf.Field): object {
  if (field.map) throw new Error(`${nameOf(field)} is a map, which is not described`);
  const { name, id, resolvedType, partOf, options = {} } = field;
  const kind = resolvedType === null
    ? field.type
    : resolvedType instanceof protobuf.Enum
    ? "enum"
    : "message";
  return {
    name: snake(name),
    jsonName: camel(snake(name)),
    number: id,
    label: `LABEL_${field.required ? "REQUIRED" : field.repeated ? "REPEATED" : "OPTIONAL"}`,
    type: `TYPE_${kind.toUpperCase()}`,
    ...resolvedType && { typeName: resolvedType.fullName },
    ...partOf &&
      {
        oneofIndex: partOf.parent instanceof protobuf.Type
          ? partOf.parent.oneofsArray.indexOf(partOf)
          : 0,
      },
    ...options.default !== undefined && { defaultValue: String(options.default) },
    ...options.packed !== undefined && { options: { packed: options.packed } },
  };
}

function enumContent({ name, values }: protobuf.Enum): object {
  return { name, value: Object.entries(values).map(([name, number]) => ({ name, number })) };
}

function serviceContent({ name, methodsArray }: protobuf.Service): object {
  return { name, method: methodsArray.map(methodContent) };
}

function methodContent(method: protobuf.Method): object {
  const [input, output] = typesOf(method);
  const options = Object.entries(optionsOf(method)).map(([name, value]) => {
    const { resolvedType } = lookUp(method, name);
    return [
      `.${name}`,
      resolvedType instanceof protobuf.Type ? conform(value, resolvedType) : value,
    ];
  });
  return {
    name: method.name,
    inputType: input.fullName,
    outputType: output.fullName,
    clientStreaming: method.requestStream === true,
    serverStreaming: method.responseStream === true,
    options: Object.fromEntries(options),
  };
}

/** A list of one is read as that one: makes it a list again. */
function conform(value: unknown, type: protobuf.Type): object {
  const entries = Object.entries(value ?? {}).map(([name, inner]) => {
    const field = type.fields[name];
    if (field === undefined) throw new Error(`${nameOf(type)} has no field ${name}`);
    const { resolvedType } = field;
    const one = (item: unknown) =>
      resolvedType instanceof protobuf.Type ? conform(item, resolvedType) : item;
    return [name, field.repeated ? [inner].flat().map(one) : one(inner)];
  });
  return Object.fromEntries(entries);
}

/** The custom options by their full names. */
function optionsOf({ parsedOptions }: protobuf.Method): Record<string, unknown> {
  // A list of objects with one key each, typed as a single object; `(google.api.http)` for a custom option.
  const parsed: unknown[] = [parsedOptions ?? []].flat();
  const entries = parsed.flatMap((option) => Object.entries(option ?? {}));
  return Object.fromEntries(entries.map(([name, value]) => [name.slice(1, -1), value]));
}

function lookUp(method: protobuf.Method, option: string): protobuf.Field {
  const field = method.root.lookup(option, protobuf.Field);
  if (field instanceof protobuf.Field) return field;
  throw new Error(`${nameOf(method)} has an unknown option ${option}`);
}

function typesOf(method: protobuf.Method): [protobuf.Type, protobuf.Type] {
  const { resolvedRequestType, resolvedResponseType } = method;
  if (resolvedRequestType && resolvedResponseType) {
    return [resolvedRequestType, resolvedResponseType];
  }
  throw new Error(`${nameOf(method)} has an unknown type`);
}

function extendedBy(field: protobuf.Field): protobuf.Type {
  return field.root.lookupType(field.extend ?? "");
}

/** Extensions are listed among the fields of what they extend, too. */
function ownFields(type: protobuf.Type): protobuf.Field[] {
  return type.fieldsArray.filter(({ declaringField }) => declaringField === null);
}

/** The bundled file has its names in camelCase; ours are in snake_case and stay so. */
function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function camel(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
