// The JSON name of every field. Compilers write it into descriptors; servers that reflect often leave it out.
import type { DescriptorProto, FileDescriptorProto } from "@bufbuild/protobuf/wkt";

/** Gives each field without one the name that protoc would give it. */
export function fillJsonNames(file: FileDescriptorProto): void {
  for (const message of file.messageType) fillMessage(message);
}

function fillMessage(message: DescriptorProto): void {
  for (const field of message.field) {
    if (field.jsonName === "") field.jsonName = jsonNameOf(field.name);
  }
  for (const nested of message.nestedType) fillMessage(nested);
}

/** `user_id` > `userId`: each letter behind an underscore in upper case, underscores gone (descriptor.proto, json_name). */
export function jsonNameOf(name: string): string {
  let json = "";
  let isNew = false;
  for (const letter of name) {
    if (letter !== "_") json += isNew ? letter.toUpperCase() : letter;
    isNew = letter === "_";
  }
  return json;
}
