// Reads the .proto files of proto/: as definitions that grpc-js serves and calls by, and as a tree for reflection.

import type { ServiceDefinition } from "@grpc/grpc-js";
import { fromJSON } from "@grpc/proto-loader";
import { fileURLToPath } from "node:url";
import protobuf from "protobufjs";

const folder = fileURLToPath(new URL("../../proto/", import.meta.url));

/**
 * The service by its full name (`user.UserService`) as the file says. Messages are plain objects with every field there,
 * named in camelCase; an int64 beyond the safe integers arrives rounded, but never as a safe one.
 */
export function readService(file: string, name: string): ServiceDefinition {
  const root = readProtos([file], { keepCase: false });
  const options = { longs: Number, enums: String, defaults: true, oneofs: true };
  const definition = fromJSON(root.toJSON(), options)[name];
  if (definition === undefined || "format" in definition) throw new Error(`no service ${name}`);
  return definition;
}

/** The files, by their names below proto/, and all that they import. */
export function readProtos(
  files: readonly string[],
  { keepCase }: { readonly keepCase: boolean },
): protobuf.Root {
  const root = new protobuf.Root();
  // protobufjs carries Google's own files itself, and asks with the whole path a second time.
  root.resolvePath = (_origin, target) =>
    target.startsWith("google/protobuf/") || target.startsWith(folder) ? target : folder + target;
  root.loadSync([...files], { keepCase });
  root.resolveAll();
  return root;
}

/** The name by which other files import the one at this path: the path below proto/. */
export function importName(path: string): string {
  return path.startsWith(folder) ? path.slice(folder.length) : path;
}
