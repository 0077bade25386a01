// One .proto file to its descriptor: what stands at the top of a file, enums and services. Types are still names (see link.ts).
import { create } from "@bufbuild/protobuf";
import {
  Edition,
  FileOptionsSchema,
  MethodDescriptorProtoSchema,
  ServiceDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import { schemaError } from "./lexer.ts";
import { type Option, readOption } from "./options.ts";
import { newParsedFile, type ParsedFile } from "./parsed_file.ts";
import { FileParser, type Parent } from "./parse_message.ts";
import { standardOptions } from "./standard_options.ts";
import { TokenReader } from "./token_reader.ts";

/** Throws ConfigError at the first thing that is no proto2, proto3 or edition 2023 or 2024. */
export function parseProto(name: string, source: string): ParsedFile {
  const file = newParsedFile(name);
  const reader = new TokenReader(name, source);
  const parser = new FileParser(file, reader);
  readSyntax(file, reader);
  const options: Option[] = [];
  while (reader.peek.kind !== "end") readStatement(file, reader, parser, options);
  const proto = standardOptions(FileOptionsSchema, options);
  if (proto !== undefined) file.proto.options = proto;
  return file;
}

const EDITIONS: Readonly<Record<string, Edition>> = {
  "2023": Edition.EDITION_2023,
  "2024": Edition.EDITION_2024,
};

function readSyntax({ proto }: ParsedFile, reader: TokenReader): void {
  const isEdition = reader.is("edition");
  if (!isEdition && !reader.is("syntax")) {
    proto.syntax = "proto2"; // protobuf.dev: "If no syntax is specified"
    return;
  }
  reader.take();
  reader.expect("=");
  const place = reader.peek;
  const value = reader.string('a string such as "proto3"');
  reader.expect(";");
  const edition = isEdition ? EDITIONS[value] : undefined;
  if (edition !== undefined) proto.edition = edition;
  else if (isEdition || value !== "proto2" && value !== "proto3") {
    const known = isEdition ? Object.keys(EDITIONS) : ["proto2", "proto3"];
    throw schemaError(
      place,
      `unknown ${isEdition ? "edition" : "syntax"} "${value}", expected ${known.join(" or ")}`,
    );
  }
  proto.syntax = isEdition ? "editions" : value;
}

function readStatement(
  file: ParsedFile,
  reader: TokenReader,
  parser: FileParser,
  options: Option[],
): void {
  const { proto } = file;
  const top: Parent = {
    scope: proto.package,
    nested: proto.messageType,
    enums: proto.enumType,
    extensions: proto.extension,
    depth: 0,
  };
  if (reader.takeIf(";")) return;
  if (parser.readTypeStatement(top)) return;
  if (reader.takeIf("import")) return readImport(file, reader);
  if (reader.is("package")) return readPackage(file, reader);
  if (reader.takeIf("service")) return readService(file, reader);
  if (!reader.takeIf("option")) {
    throw reader.unexpected("import, package, option, message, enum, service or extend");
  }
  options.push(readOption(reader));
  reader.expect(";");
}

function readImport(file: ParsedFile, reader: TokenReader): void {
  const isPublic = reader.takeIf("public");
  if (!isPublic && !reader.takeIf("weak")) reader.takeIf("option");
  const place = reader.peek;
  const name = reader.string("the name of a file");
  reader.expect(";");
  if (file.imports.some((other) => other.name === name)) {
    throw schemaError(place, `"${name}" is imported twice`);
  }
  file.imports.push({ name, isPublic, place });
  if (isPublic) file.proto.publicDependency.push(file.proto.dependency.length);
  file.proto.dependency.push(name);
}

function readPackage({ proto, definitions }: ParsedFile, reader: TokenReader): void {
  const place = reader.take();
  if (proto.package !== "") throw schemaError(place, "a second package");
  if (definitions.size > 0 || proto.service.length > 0) {
    throw schemaError(place, "the package must stand before what it holds");
  }
  proto.package = reader.path("the name of a package").text;
  reader.expect(";");
}

function readService(file: ParsedFile, reader: TokenReader): void {
  const name = reader.name("the name of a service");
  const service = create(ServiceDescriptorProtoSchema, { name: name.text });
  const fullName = file.proto.package === "" ? name.text : `${file.proto.package}.${name.text}`;
  if (file.proto.service.some((other) => other.name === name.text)) {
    throw schemaError(name, `"${fullName}" is defined twice`);
  }
  file.proto.service.push(service);
  reader.expect("{");
  while (!reader.takeIf("}")) {
    if (reader.takeIf(";")) continue;
    if (reader.takeIf("option")) {
      readOption(reader);
      reader.expect(";");
      continue;
    }
    reader.expect("rpc");
    const method = readMethod(file, reader, fullName);
    if (service.method.some((other) => other.name === method.name)) {
      throw schemaError(name, `"${fullName}.${method.name}" is defined twice`);
    }
    service.method.push(method);
  }
}

function readMethod(file: ParsedFile, reader: TokenReader, service: string) {
  const { text } = reader.name("the name of a method");
  const method = create(MethodDescriptorProtoSchema, { name: text });
  method.clientStreaming = readMethodType(file, reader, { scope: service, kind: "input", method });
  reader.expect("returns");
  method.serverStreaming = readMethodType(file, reader, { scope: service, kind: "output", method });
  const options: Option[] = [];
  if (reader.takeIf("{")) {
    while (!reader.takeIf("}")) {
      if (reader.takeIf(";")) continue;
      reader.expect("option");
      options.push(readOption(reader));
      reader.expect(";");
    }
  } else reader.expect(";");
  file.methods.push({ method, fullName: `${service}.${text}`, options });
  return method;
}

interface MethodSide {
  readonly scope: string;
  readonly kind: "input" | "output";
  readonly method: ReturnType<typeof readMethod>;
}

/** `(stream TYPE)`; whether it streams. */
function readMethodType(file: ParsedFile, reader: TokenReader, side: MethodSide): boolean {
  reader.expect("(");
  const isStream = reader.is("stream") && reader.second.text !== ")";
  if (isStream) reader.take();
  const { text: name, place } = reader.path("the name of a message");
  reader.expect(")");
  file.references.push({ ...side, name, place });
  return isStream;
}
