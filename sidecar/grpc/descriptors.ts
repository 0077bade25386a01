// The services and messages a sidecar knows: from .proto sources, from a descriptor set, or from a server's reflection.
import {
  create,
  createFileRegistry,
  type DescMethod,
  type DescService,
  type FileRegistry,
  fromBinary,
} from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { errorText } from "./error_text.ts";
import { compileProtos, type ResolveImport } from "./schema/compile.ts";
import { orderFiles } from "./schema/file_order.ts";
import { fillJsonNames } from "./schema/json_names.ts";
import { knownFiles } from "./schema/known_files.ts";
import { type Place, schemaError } from "./schema/lexer.ts";

const NO_PLACES: ReadonlyMap<string, Place> = new Map();

export class DescriptorPool {
  /** Every type there is, google.rpc's included, so that `Any` can be spelled out. */
  readonly registry: FileRegistry;
  readonly services: readonly DescService[];
  readonly #places: ReadonlyMap<string, Place>;

  private constructor(files: readonly FileDescriptorProto[], places: ReadonlyMap<string, Place>) {
    const file = [...withKnownFiles(files)];
    this.registry = build(file, files[0]?.name ?? "");
    this.#places = places;
    this.services = [...this.registry].filter((type) => type.kind === "service");
  }

  /**
   * From the texts of .proto files by the name they are imported as; what they import besides is asked for, and the
   * files of google/protobuf, google/api and google/rpc are there without asking. Throws ConfigError.
   */
  static async ofProtos(
    sources: ReadonlyMap<string, string>,
    resolveImport: ResolveImport,
  ): Promise<DescriptorPool> {
    const { files, httpPlaces } = await compileProtos(sources, resolveImport);
    return new DescriptorPool([...files.values()], httpPlaces);
  }

  /** From an encoded google.protobuf.FileDescriptorSet that holds all imports. `name` is for errors. Throws ConfigError. */
  static ofSet(bytes: Uint8Array, name: string): DescriptorPool {
    let files: FileDescriptorProto[];
    try {
      files = fromBinary(FileDescriptorSetSchema, bytes).file;
    } catch (error) {
      throw schemaError(startOf(name), `no descriptor set: ${errorText(error)}`);
    }
    return DescriptorPool.ofFiles(files);
  }

  /** From descriptors with all that they import. Throws ConfigError. */
  static ofFiles(files: readonly FileDescriptorProto[]): DescriptorPool {
    return new DescriptorPool(files, NO_PLACES);
  }

  /** The method that a gRPC path such as `/package.Service/Method` names. */
  method(path: string): DescMethod | undefined {
    const slash = path.indexOf("/", 1);
    if (slash < 0 || path[0] !== "/") return undefined;
    const name = path.slice(slash + 1);
    const service = this.registry.getService(path.slice(1, slash));
    return service?.methods.find((method) => method.name === name);
  }

  /** Where a problem with a method's HTTP rule is to be looked for. */
  placeOf(method: DescMethod): Place {
    const { parent, name } = method;
    return this.#places.get(`${parent.typeName}.${name}`) ?? startOf(parent.file.proto.name);
  }
}

/** The path of a method's calls. */
export function pathOfMethod({ parent, name }: DescMethod): string {
  return `/${parent.typeName}/${name}`;
}

function withKnownFiles(files: readonly FileDescriptorProto[]): Iterable<FileDescriptorProto> {
  const all = new Map<string, FileDescriptorProto>();
  for (const { proto } of knownFiles().files.values()) all.set(proto.name, proto);
  for (const file of files) {
    fillJsonNames(file);
    all.set(file.name, file);
  }
  return orderFiles(all);
}

function build(file: FileDescriptorProto[], name: string): FileRegistry {
  try {
    return createFileRegistry(create(FileDescriptorSetSchema, { file }));
  } catch (error) {
    throw schemaError(startOf(name), errorText(error));
  }
}

function startOf(file: string): Place {
  return { file, line: 1, column: 1 };
}
