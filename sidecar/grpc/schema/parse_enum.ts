// An enum of a .proto file to its descriptor.
import { create } from "@bufbuild/protobuf";
import {
  type EnumDescriptorProto,
  EnumDescriptorProtoSchema,
  EnumOptionsSchema,
  EnumValueDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import { schemaError, type Token } from "./lexer.ts";
import { type Option, readInlineOptions, readOption } from "./options.ts";
import { standardOptions } from "./standard_options.ts";
import type { TokenReader } from "./token_reader.ts";

/** `{ A = 0; ... }`, behind `enum NAME`. */
export function parseEnum(name: Token, reader: TokenReader): EnumDescriptorProto {
  const proto = create(EnumDescriptorProtoSchema, { name: name.text });
  const options: Option[] = [];
  reader.expect("{");
  while (!reader.takeIf("}")) {
    if (reader.takeIf(";")) continue;
    if (reader.is("option") && reader.second.text !== "=") {
      reader.take();
      options.push(readOption(reader));
      reader.expect(";");
    } else if (reader.is("reserved") && reader.second.text !== "=") reader.skipStatement();
    else readEnumValue(proto, reader);
  }
  if (proto.value.length === 0) throw schemaError(name, `enum "${name.text}" has no values`);
  const standard = standardOptions(EnumOptionsSchema, options);
  if (standard !== undefined) proto.options = standard;
  checkNumbers(proto, name);
  return proto;
}

function readEnumValue(proto: EnumDescriptorProto, reader: TokenReader): void {
  const name = reader.name("the name of a value");
  reader.expect("=");
  const place = reader.peek;
  const number = reader.integer("a number");
  if (number !== (number | 0)) throw schemaError(place, `${number} is no 32-bit number`);
  readInlineOptions(reader);
  reader.expect(";");
  if (proto.value.some((other) => other.name === name.text)) {
    throw schemaError(name, `"${name.text}" is defined twice`);
  }
  proto.value.push(create(EnumValueDescriptorProtoSchema, { name: name.text, number }));
}

function checkNumbers(proto: EnumDescriptorProto, name: Token): void {
  if (proto.options?.allowAlias === true) return;
  const numbers = new Set<number>();
  for (const { number } of proto.value) {
    if (numbers.has(number)) {
      throw schemaError(
        name,
        `enum "${name.text}" has two values of number ${number}, without allow_alias`,
      );
    }
    numbers.add(number);
  }
}
